"""`repro entropy`: the entanglement profile of a matrix, or of an adapter's updates."""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from repro.cli.verbs import Verbs, own_path
from repro.errors import InputError

if TYPE_CHECKING:
    from repro.measure.entropy import Profile


def add(verbs: Verbs) -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "entropy",
        help="entanglement entropy of a matrix or of an adapter's updates, cut by cut",
        description="Entanglement entropy at every cut of a matrix whose rows and columns are chains of "
        "sites (their prime "
        "factors), beside that of random matrices of the same shape and rank.",
    )
    given = verb.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--matrix", type=own_path, metavar="M.npy", help="a matrix saved with np.save"
    )
    given.add_argument(
        "--adapter", type=own_path, metavar="DIR", help="a LoRA adapter as peft saves it"
    )
    verb.add_argument(
        "--layer",
        metavar="GLOB",
        help="only layers named so, or ending so: '*q_proj' (with --adapter)",
    )
    verb.add_argument(
        "--figure",
        type=own_path,
        metavar="FILE",
        help="also draw it into a file that ends in .svg or .png",
    )
    verb.add_argument("--json", action="store_true", help="print JSON instead of a drawing")
    verb.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    """Measure, print the record or the drawing, and draw into a file where one is named."""
    from repro.geometry.undefined import Undefined
    from repro.measure.entropy import of_matrix, of_update, record
    from repro.measure.updates import read_matrix, read_updates

    if arguments.figure is not None:
        from repro.report.export.drawing import check_ending

        check_ending(arguments.figure)
    if arguments.matrix is not None:
        if arguments.layer is not None:
            raise InputError(
                "--layer names layers of an adapter; expected it with --adapter, or leave it out."
            )
        profiles, undefined = [of_matrix(read_matrix(arguments.matrix), str(arguments.matrix))], {}
    else:
        found = {
            update.layer: of_update(update)
            for update in read_updates(arguments.adapter, arguments.layer or "*")
        }
        profiles = [one for one in found.values() if not isinstance(one, Undefined)]
        undefined = {
            layer: one.reason for layer, one in found.items() if isinstance(one, Undefined)
        }
    if arguments.figure is not None:
        _draw(arguments, profiles, undefined)
    if arguments.json:
        records = [record(one) for one in profiles]
        content = (
            records[0]
            if arguments.matrix is not None
            else {"layers": records, "undefined": undefined}
        )
        print(json.dumps(content, indent=2, allow_nan=False))
        return 0
    from repro.report.terminal.entropy import show_entropy

    show_entropy(profiles, [f"{layer}: undefined, {reason}" for layer, reason in undefined.items()])
    if arguments.figure is not None:
        print(f"{arguments.figure}: the figure")
    return 0


def _draw(
    arguments: argparse.Namespace, profiles: "Sequence[Profile]", undefined: Mapping[str, str]
) -> None:
    """Write the figure. Raises InputError where no layer has a profile to draw."""
    from repro.report.export.drawing import write_drawing
    from repro.report.page.figures.given import given_profiles

    given = arguments.matrix or arguments.adapter
    if not profiles:
        layer, reason = next(iter(undefined.items()))
        raise InputError(f"{given}: no layer has a profile to draw; {layer}: {reason}.")
    write_drawing(arguments.figure, given_profiles(given.name, profiles))
