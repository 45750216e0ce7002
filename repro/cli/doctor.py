"""Verbs about this machine: doctor, clean."""

import argparse
import sys

from repro.cli.verbs import Verbs, take_format, take_results


def add(verbs: Verbs) -> None:
    """Register the verbs."""
    doctor = verbs.add_parser(
        "doctor", help="what this machine can run, and what would help; exit 2 when nothing can"
    )
    take_format(doctor)
    take_results(doctor)
    doctor.add_argument(
        "--measure",
        action="store_true",
        help="measure the card here, or a core, in less than a minute; plans then count with it",
    )
    doctor.set_defaults(run=_doctor)
    clean = verbs.add_parser(
        "clean", help="show what takes disk; --yes frees what no evidence needs"
    )
    take_format(clean)
    take_results(clean)
    clean.add_argument(
        "--yes", action="store_true", help="remove what finished runs and broken builds left behind"
    )
    clean.add_argument(
        "--cache", action="store_true", help="with --yes: fetched models, texts and wheels too"
    )
    clean.set_defaults(run=_clean)


def _doctor(given: argparse.Namespace) -> int:
    from repro.execute.folders import cache_folder, results_folder
    from repro.machine.abilities import abilities, fits_here
    from repro.machine.places import check_places
    from repro.report.export.tables import print_table
    from repro.report.terminal.doctor import abilities_table, print_abilities, print_profile

    if given.measure:
        from repro.machine.speeds import measure

        print("measuring, less than a minute …", file=sys.stderr, flush=True)
        print_profile(measure(cache_folder()))
    found = [
        *abilities(cache_folder(), results_folder(given.results)),
        *check_places(cache_folder()),
    ]
    if given.format == "table":
        print_abilities(found, fits_here())
    else:
        print_table(abilities_table(found), given.format)
    return 2 if any(ability.needed and not ability.able for ability in found) else 0


def _clean(given: argparse.Namespace) -> int:
    from repro.errors import InputError
    from repro.evidence.lock import exclusive
    from repro.execute.folders import cache_folder, results_to_read
    from repro.machine.clean import ItemKind, inventory, remove
    from repro.report.export.tables import print_table
    from repro.report.terminal.clean import inventory_table, print_inventory, print_removed

    if given.cache and not given.yes:
        raise InputError(
            "--cache: found without --yes, expected both; --yes alone leaves the cache"
        )
    kinds: tuple[ItemKind, ...] = (
        (("leftover", "cache") if given.cache else ("leftover",)) if given.yes else ()
    )
    results, cache = results_to_read(given.results), cache_folder()
    with exclusive(results, "run"):  # never under the feet of runs at work
        items = inventory(results, cache)
        if given.format == "table":
            print_inventory(items, results, cache)
        else:
            print_table(inventory_table(items), given.format)
        remove(items, cache, kinds)
    if given.format == "table":
        print_removed(items, kinds)
    return 0
