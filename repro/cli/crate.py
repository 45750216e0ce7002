"""`repro crate NAME`: a manifest's evidence, verdicts and provenance as one archive."""

import argparse
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from repro.cli.verbs import Verbs, own_path, take_papers, take_results

if TYPE_CHECKING:
    from repro.report.export.crate import ArchivedRun


def add(verbs: Verbs) -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "crate",
        help="a manifest's evidence as a Workflow Run RO-Crate",
        description="Archive a manifest, its finished runs without weights, its seals and verdicts "
        "as a Workflow Run RO-Crate. Exit code 3 where the manifest asks for runs that are not in it.",
    )
    verb.add_argument("name", metavar="NAME", help="a manifest's name, or the path of a YAML file")
    verb.add_argument(
        "--out",
        metavar="PATH",
        type=own_path,
        help="a new folder, or a file that ends in .zip (default: NAME-crate.zip)",
    )
    take_papers(verb)
    take_results(verb)
    verb.set_defaults(run=_crate)


def _crate(arguments: argparse.Namespace) -> int:
    """Write the crate; return 0 when every run that is asked for is in it, else 3.

    Raises ReproError for an unknown manifest, and for evidence that is not what it says.
    """
    from repro.api.judging import judge_asked
    from repro.errors import EvidenceError
    from repro.execute.folders import results_to_read
    from repro.manifest.load import find_manifest, load_experiment
    from repro.report.export.crate import build_crate

    experiment, manifest = load_experiment(arguments.name), find_manifest(arguments.name)
    assert manifest is not None
    out: Path = arguments.out or Path(f"{experiment.id}-crate.zip")
    _refuse_existing(out)
    results = results_to_read(arguments.results)
    runs, missing = _finished(results, experiment.id) if results.is_dir() else ([], 0)
    if not runs:
        raise EvidenceError(
            f"{results}: no finished run of {experiment.id}, nothing to archive; "
            f"`repro run {arguments.name}`, then `repro ingest`"
        )
    judged = judge_asked(arguments.name, results, arguments.papers)
    verdicts = {
        "claims": [verdict.model_dump(mode="json") for verdict in judged.verdicts],
        "counts": judged.counts,
    }
    crate = build_crate(manifest, experiment.title, results, runs, verdicts)
    _write(crate, out)
    left = f"; {missing} that the manifest asks for are not finished" if missing else ""
    print(f"{out}: {len(runs)} runs, {len(judged.verdicts)} verdicts{left}")
    return 3 if missing else 0


def _refuse_existing(out: Path) -> None:
    """Raise InputError where something lies in the crate's place."""
    from repro.errors import InputError

    if os.path.lexists(out):
        raise InputError(f"--out {out}: is there already; remove it, or name another place")


def _finished(results: Path, manifest: str) -> "tuple[list[ArchivedRun], int]":
    """Return the manifest's finished runs, and how many that it asks for are not finished."""
    from repro.api import runs
    from repro.evidence.asked import read_asked
    from repro.report.export.crate import ArchivedRun

    rows = [row for row in runs(results).to_pylist() if row["experiment"] == manifest]
    found = [
        ArchivedRun(
            row["run_id"], row["slot"], Path(row["folder"]), _utc(row["started"]), _utc(row["finished"])
        )
        for row in rows
        if row["status"] in ("done", "diverged")
    ]  # fmt: skip
    asked = {one.id for one in read_asked(results).get(manifest, ())}
    return found, len(asked - {run.id for run in found})


def _utc(moment: object) -> str | None:
    return None if moment is None else f"{str(moment).replace(' ', 'T')}+00:00"


def _write(crate: object, out: Path) -> None:
    """Write beside, then rename: there is a whole crate or none. Raises SetupError."""
    from repro.errors import SetupError
    from repro.files import way_out

    beside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        crate.write(beside)  # type: ignore[attr-defined]
        if out.suffix == ".zip":
            # The library's own archive has no entries for folders, which the profile asks for.
            os.replace(shutil.make_archive(str(beside), "zip", root_dir=beside), out)
        else:
            os.replace(beside, out)
    except OSError as error:
        raise SetupError(
            f"{out}: could not be written ({error.strerror}); {way_out(error)}"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        Path(f"{beside}.zip").unlink(missing_ok=True)
