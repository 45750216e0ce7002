"""`repro measure`: every diagnostic on a user's own activations."""

import argparse
import json
import sys

from repro.cli.verbs import own_path


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "measure",
        help="every diagnostic on your own activations",
        description="Measure the geometry of labelled activations: accuracies, directions, damage, entanglement "
        "intensity with its interval, nulls, scale sweep and other readings, margin, similarity.",
    )
    verb.add_argument(
        "--activations", type=own_path, required=True, metavar="X.npz", help="matrix under key `activations`"
    )
    verb.add_argument(
        "--labels", type=own_path, required=True, metavar="L.csv", help="one column per concept, row per probe"
    )
    verb.add_argument("--json", action="store_true", help="print JSON instead of tables")
    verb.add_argument("--quick", action="store_true", help="leave out interval, nulls, scale sweep and specifications")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, and print the record or the tables."""
    from repro.measure import alike, alone, measure, read_activations, read_labels, record

    X = read_activations(arguments.activations)
    labels = read_labels(arguments.labels, len(X))
    for words in alike(labels):
        print(f"repro measure: {arguments.labels}: {words}", file=sys.stderr)
    measured = measure(X, labels, quick=arguments.quick)
    if arguments.json:
        print(json.dumps(record(measured), indent=2, allow_nan=False))
        if note := alone(measured):
            print(f"repro measure: {note}", file=sys.stderr)
        return 0
    from repro.report.measure import show

    show(measured)
    return 0
