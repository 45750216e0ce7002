"""`repro remeasure NAME`: all geometry again from the activations that runs kept."""

import argparse
from typing import TYPE_CHECKING

from repro.cli.output import note
from repro.cli.verbs import Verbs, take_results

if TYPE_CHECKING:
    from repro.measure.again import MeasuredAgain

_SHOWN = 20
"""Differences of a run that are shown one by one."""


def add(verbs: Verbs) -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "remeasure",
        help="make all geometry again from the activations that runs kept, and name what differs",
        description="Measure the finished runs of a manifest again from their stored activations, "
        "by the functions that measured them: it finds numbers that were edited together with "
        "their digests. No model is needed. Exit code 2 where a number is not what its "
        "activations give, 3 where activations are not kept.",
    )
    verb.add_argument("name", metavar="NAME", help="a manifest's name, or the path of a YAML file")
    take_results(verb)
    verb.set_defaults(run=_remeasure)


def _remeasure(given: argparse.Namespace) -> int:
    """Print a line for each run; return 3 where some could not be measured again, else 0.

    Raises EvidenceError where evidence is not what it says.
    """
    from repro.errors import EvidenceError
    from repro.evidence.folder import RunFolder
    from repro.execute.folders import results_to_read
    from repro.manifest.load import load_experiment
    from repro.measure.again import measure_again
    from repro.store.finished import finished_folders

    manifest, results = load_experiment(given.name).id, results_to_read(given.results)
    evidence = finished_folders(results, manifest)
    made, wrong = dict[str, "MeasuredAgain"](), [*evidence.faults]
    for path, request in evidence.folders:
        try:
            found = measure_again(RunFolder(path), made)
        except EvidenceError as error:
            wrong.append(str(error))
            continue
        made[request.id] = found
        _tell(found)
        wrong += [f"{found.folder}: {one.line}" for one in found.others]
    incomplete = evidence.absent + sum(bool(found.missing) for found in made.values())
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise EvidenceError(
            f"{manifest}: the evidence is not what it says: {wrong[0]}{more}; make these runs "
            f"again, or ask whoever sent them"
        )
    same = sum(found.same for found in made.values())
    print(f"{len(made)} runs, {same} numbers made again, none differs")
    return 3 if incomplete or not made else 0


def _tell(found: "MeasuredAgain") -> None:
    """Say what came of one run."""
    unmade = f", {found.unmade} of the model itself not made again" if found.unmade else ""
    differing = f", {len(found.others)} DIFFER" if found.others else ""
    print(f"{found.run}: {found.same} the same{differing}{unmade}", flush=True)
    for one in found.others[:_SHOWN]:
        print(f"  {one.line}", flush=True)
    if len(found.others) > _SHOWN:
        print(f"  and {len(found.others) - _SHOWN} more", flush=True)
    for line in found.missing[:_SHOWN]:
        note(f"{found.run}: not measured again: {line}")
