"""Which runs a verb is asked about, where they would be carried out, and on which cards."""

import argparse
from collections.abc import Sequence
from fnmatch import fnmatch
from functools import cache
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from repro.claims.claim import Claim
    from repro.execute.device import Gpu
    from repro.execute.folders import RunPlace
    from repro.execute.runners import Choice
    from repro.plan.run import Run


def runs_of(
    name: str, runner: str = "auto", other_packages: bool = False, base: bool = False
) -> "tuple[Run, ...]":
    """Return every run of a manifest, named for where its workers would be; with `base` those that
    measure the base models its runs start from.

    Raises ReproError.
    """
    from repro.execute.folders import cache_folder
    from repro.execute.runners import environment
    from repro.manifest.load import load_experiment
    from repro.plan.base import base_runs
    from repro.plan.expand import expand

    experiment = load_experiment(name)
    found = environment(choice_of(name, runner), experiment.image, cache_folder(), other_packages)
    runs = expand(experiment, found)
    return base_runs(runs) if base else runs


@cache
def choice_of(name: str, runner: str) -> "Choice":
    """Return where a manifest's runs go; asked once a command, so that nothing changes under it."""
    from repro.execute.folders import cache_folder
    from repro.execute.runners import choose_runner
    from repro.manifest.load import load_experiment

    return choose_runner(runner, load_experiment(name).image, cache_folder())


def cards_of(name: str, runner: str) -> "Sequence[Gpu]":
    """Return the GPUs that a manifest's runs would use here; none where a cluster's decide."""
    from repro.execute.runners import cards_for
    from repro.manifest.load import load_experiment

    return cards_for(choice_of(name, runner).kind, load_experiment(name).image)


def places_of(given: argparse.Namespace) -> "list[RunPlace]":
    """Return every run of the manifest that is named, and what is there of it.

    With --repair, after reading every byte.
    """
    from repro.execute.folders import place_runs, results_folder

    return place_runs(
        runs_of(given.name, given.runner, given.other_packages, given.base),
        results_folder(given.results),
        deep=getattr(given, "repair", False),
    )


def chosen_runs(given: argparse.Namespace, places: "Sequence[RunPlace]") -> "list[RunPlace]":
    """Return those that --only names. Raises InputError when it names none."""
    kept = matching(given, [place.run for place in places])
    return [place for place in places if place.run in kept]


def matching(given: argparse.Namespace, runs: "Sequence[Run]") -> "list[Run]":
    """Return the runs that --only names, all without it. Raises InputError when it names none."""
    from repro.errors import InputError
    from repro.names import nearest

    kept = [run for run in runs if given.only is None or fnmatch(run.slot, given.only)]
    if not kept:
        slots = [run.slot for run in runs]
        some = f"{', '.join(slots[:6])}{' …' if len(slots) > 6 else ''}"
        raise InputError(
            f"--only {given.only or '(nothing)'}: no run of {given.name} matches; "
            f"{nearest(given.only.strip('*'), slots)}runs are {some}; "
            f"`repro plan {given.name}` lists them"
        )
    return kept


def tell_settings(
    name: str, places: "Sequence[RunPlace]", claims: "Sequence[Claim]", stream: TextIO
) -> None:
    """Name the printed settings that the manifest lacks, before anybody pays for its runs."""
    from repro.manifest.load import load_experiment
    from repro.report.terminal.plan_settings import setting_notes

    for line in setting_notes(load_experiment(name), [place.run for place in places], claims):
        print(line, file=stream, flush=True)
