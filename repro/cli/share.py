"""Verbs about evidence that travels: push, pull."""

import argparse
from collections.abc import Sequence

from repro.cli.output import note
from repro.cli.verbs import Verbs, take_results

_SHOWN = 20
_URL = "a folder, s3://BUCKET/PREFIX (AWS_ENDPOINT_URL for other servers), or sftp://USER@HOST/PATH"


def add(verbs: Verbs) -> None:
    """Register the verbs."""
    for name, words, run in (
        ("push", "bring finished evidence to a folder, S3 or SSH; goes on after a kill", _push),
        ("pull", "bring evidence from there, every byte checked; goes on after a kill", _pull),
    ):
        verb = verbs.add_parser(name, help=words, description=words)
        verb.add_argument("url", metavar="URL", help=_URL)
        verb.add_argument(
            "name",
            metavar="NAME",
            nargs="?",
            help="a manifest: only its runs (default: everything)",
        )
        take_results(verb)
        verb.set_defaults(run=run)


def _push(given: argparse.Namespace) -> int:
    """Push; return 3 where something was damaged and stayed, else 0. Raises ReproError."""
    from repro.errors import EvidenceError
    from repro.execute.folders import results_to_read
    from repro.share.push import push_results
    from repro.share.shelf import open_shelf, refuse_inside

    results = results_to_read(given.results)
    refuse_inside(given.url, results)
    with open_shelf(given.url, new=True) as shelf:
        found = push_results(results, shelf, _manifest(given.name), _say)
    _tell(found.refused)
    if not (found.parcels or found.refused or found.unfinished):
        raise EvidenceError(f"{results}: no finished evidence to push; `repro run` makes it")
    waiting = f", {found.unfinished} not finished and left" if found.unfinished else ""
    left = f", {len(found.refused)} left out" if found.refused else ""
    print(
        f"{found.parcels} folders in {given.url}, {found.known} of them there already, "
        f"{found.sent} files sent ({found.bytes / 2**20:.1f} MiB){waiting}{left}"
    )
    return 3 if found.refused else 0


def _pull(given: argparse.Namespace) -> int:
    """Pull; return 3 where something could not be taken, else 0. Raises ReproError."""
    from repro.errors import EvidenceError
    from repro.evidence.lock import exclusive
    from repro.execute.folders import results_folder
    from repro.share.pull import pull_results
    from repro.share.shelf import open_shelf, refuse_inside

    results = results_folder(given.results)
    refuse_inside(given.url, results)
    with open_shelf(given.url) as shelf, exclusive(results, "run"):
        found = pull_results(results, shelf, _manifest(given.name), _say)
    for line in found.told[:_SHOWN]:
        note(line)
    _tell(found.refused)
    if not (found.new or found.known or found.refused):
        what = f"of {given.name} " if given.name else ""
        raise EvidenceError(f"{given.url}: no evidence {what}there; `repro push` brings it")
    left = f", {len(found.refused)} left out" if found.refused else ""
    print(
        f"{found.new} folders pulled into {results}, {found.known} here already{left}; "
        "`repro ingest` takes them into the store"
    )
    return 3 if found.refused else 0


def _manifest(name: str | None) -> str | None:
    """Return the id of a manifest; one that is not known here is taken by its name."""
    from repro.manifest.load import find_manifest, load_experiment

    return load_experiment(name).id if name and find_manifest(name) else name


def _tell(refused: Sequence[str]) -> None:
    for line in refused[:_SHOWN]:
        note(f"left out: {line}")
    if len(refused) > _SHOWN:
        note(f"and {len(refused) - _SHOWN} more")


def _say(line: str) -> None:
    print(line, flush=True)
