"""Fetch texts into the cache, and check that each source has as many as runs hold out."""

from collections.abc import Iterable
from pathlib import Path

from repro.cache import record_as_ours
from repro.errors import SetupError
from repro.execute.worker_command import call_worker
from repro.files import file_digest
from repro.manifest.data import LocalFile, Source
from repro.plain import Say
from repro.plan.run import Run
from repro.plan.texts import edition, require_heldout, shared, texts_file


def fetch_texts(sources: Iterable[Source], cache: Path, say: Say) -> None:
    """Make sure every source's texts are under cache/data. Raises SetupError with the way out."""
    for source in {source.id: source for source in sources}.values():
        destination = texts_file(cache, source, edition())
        record_as_ours(cache, [destination, destination.with_suffix(".sha256")])
        if _whole(destination):
            continue
        say(
            f"{destination.name}: not what came, made again"
            if destination.exists()
            else f"{'reading' if isinstance(source.data, LocalFile) else 'fetching'} texts of {source.id}"
        )
        spec = {"source": source.model_dump_json(), "destination": str(destination)}
        # only the worker may import the libraries of data sets
        if problem := call_worker("texts", spec):
            raise SetupError(f"data {source.id}: could not be prepared: {problem}")


def check_own_texts(runs: Iterable[Run], cache: Path, say: Say) -> None:
    """Read the local files that runs train on as the runs will: records, fields, texts to hold out.

    Raises ReproError naming the file, and the line where one is wrong.
    """
    own = [
        (source, count)
        for run in runs
        for sources in run.domains.values()
        for source, count in zip(sources, shared(run.training.heldout, len(sources)), strict=True)
        if isinstance(source.data, LocalFile)
    ]
    fetch_texts([source for source, _ in own], cache, say)
    for source, count in own:
        with texts_file(cache, source, edition()).open("rb") as file:
            require_heldout(source.id, sum(1 for _ in file), count)


def _whole(texts: Path) -> bool:
    """Return whether a source's texts have the digest recorded when they were fetched."""
    try:
        return (
            file_digest(texts) == texts.with_suffix(".sha256").read_text(encoding="utf-8").strip()
        )
    except OSError:
        return False
