"""Verbs about this machine: doctor, clean."""

import argparse

from repro.cli.verbs import Verbs


def add(verbs: Verbs) -> None:
    """Register the verbs."""
    doctor = verbs.add_parser("doctor", help="what this machine can run, and what would help; exit 2 when nothing can")
    doctor.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    doctor.set_defaults(run=_doctor)
    clean = verbs.add_parser("clean", help="show what takes disk; --yes frees what no evidence needs")
    clean.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    clean.add_argument("--yes", action="store_true", help="remove what finished runs and broken builds left behind")
    clean.add_argument("--cache", action="store_true", help="with --yes: fetched models, texts and wheels too")
    clean.set_defaults(run=_clean)


def _doctor(given: argparse.Namespace) -> int:
    from repro.execute.fitting import fits
    from repro.execute.folders import cache_folder, results_folder
    from repro.execute.machine import abilities
    from repro.execute.places import places
    from repro.report.doctor import print_abilities

    found = [*abilities(cache_folder(), results_folder(given.results)), *places(cache_folder())]
    print_abilities(found, fits())
    return 2 if any(ability.needed and not ability.able for ability in found) else 0


def _clean(given: argparse.Namespace) -> int:
    from repro.errors import InputError
    from repro.evidence.lock import exclusive
    from repro.execute.clean import Kind, inventory, remove
    from repro.execute.folders import cache_folder, results_folder
    from repro.report.clean import print_inventory, print_removed

    if given.cache and not given.yes:
        raise InputError("--cache: found without --yes, expected both; --yes alone leaves the cache")
    kinds: tuple[Kind, ...] = (("leftover", "cache") if given.cache else ("leftover",)) if given.yes else ()
    results, cache = results_folder(given.results), cache_folder()
    with exclusive(results, "run"):  # never under the feet of runs at work
        items = inventory(results, cache)
        print_inventory(items, results, cache)
        remove(items, cache, kinds)
    print_removed(items, kinds)
    return 0
