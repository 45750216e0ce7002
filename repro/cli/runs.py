"""Verbs about runs: plan, fetch, run, status."""

import argparse
import os
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from functools import cache
from typing import TYPE_CHECKING, TextIO

from repro.cli.verbs import Verbs

if TYPE_CHECKING:
    from repro.execute.folders import Place
    from repro.execute.runners import Choice
    from repro.plan.run import Run
    from repro.plan.structure import Structure


def add(verbs: Verbs) -> None:
    """Register the verbs."""
    plan = _named(verbs, "plan", "every run of a manifest: cached or why not, and what it costs")
    _runner_option(plan)
    plan.add_argument("--json", action="store_true", help="machine-readable")
    plan.set_defaults(run=_plan)
    fetch = _named(verbs, "fetch", "bring models and texts into the cache, checked; runs then need no network")
    fetch.set_defaults(run=_fetch)
    run = _named(verbs, "run", "carry out the runs that are not finished; killed ones go on from their last checkpoint")
    _runner_option(run)
    run.add_argument(
        "--max-parallel", type=int, metavar="N", help="runs at once (default: what memory and cores allow)"
    )
    run.add_argument("--only", metavar="GLOB", help="only runs whose name matches, e.g. 'tiny-qwen2-B3-*'")
    run.set_defaults(run=_run)
    status = verbs.add_parser("status", help="runs under way and finished")
    status.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    status.set_defaults(run=_status)


def _named(verbs: Verbs, name: str, help: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=help, description=help)
    verb.add_argument("name", metavar="NAME", help="a manifest's name, or the path of a YAML file")
    verb.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    return verb


def _runner_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--runner", choices=("auto", "local", "docker", "slurm"), default="auto", help="where workers run"
    )


def _runs(name: str, runner: str = "auto") -> "tuple[Run, ...]":
    from repro.execute.folders import cache_folder
    from repro.execute.runners import environment
    from repro.manifest.load import load_experiment
    from repro.plan.expand import expand

    experiment = load_experiment(name)
    return expand(experiment, environment(_choice(name, runner), experiment.image, cache_folder()))


@cache
def _choice(name: str, runner: str) -> "Choice":
    """Where a manifest's runs go; asked once in a command, so that nothing changes under it."""
    from repro.execute.folders import cache_folder
    from repro.execute.runners import choose
    from repro.manifest.load import load_experiment

    return choose(runner, load_experiment(name).image, cache_folder())


def _places(given: argparse.Namespace) -> "list[Place]":
    from repro.execute.folders import place, results_folder

    return [place(run, results_folder(given.results)) for run in _runs(given.name, given.runner)]


def _plan(given: argparse.Namespace) -> int:
    from repro.errors import SetupError
    from repro.execute.folders import cache_folder, results_folder
    from repro.execute.machine import memory_gibibytes
    from repro.execute.speed import multiplications
    from repro.report.plan import plan_json, print_plan
    from repro.report.plan_machine import Machine

    places = _places(given)
    gpu, folders = _gpu(given.name, given.runner), (results_folder(given.results), cache_folder())
    built, machine = _built(places), Machine(memory_gibibytes(), multiplications(), gpu, *folders)
    if given.json:
        print(plan_json(places, built, machine))
    else:
        print_plan(places, built, machine)
        _say(_choice(given.name, given.runner).words)
    _tell_settings(given.name, places, sys.stderr if given.json else sys.stdout)
    _note_unusable_gpu(given)
    large = [words for place in places if (words := machine.cannot(place))]
    if len(large) == len(places):
        raise SetupError(f"{given.name}: no run can be carried out; {places[0].run.slot} {large[0]}")
    return 0


def _tell_settings(name: str, places: "list[Place]", stream: TextIO) -> None:
    """Name the printed settings that the manifest does not have, before anybody pays for its runs."""
    from repro.manifest.load import load_experiment
    from repro.report.plan_settings import setting_notes

    for line in setting_notes(load_experiment(name), [place.run for place in places]):
        print(line, file=stream, flush=True)


def _gpu(name: str, runner: str) -> float | None:
    """GiB of the smallest GPU that runs would use here; None where none is used, or where a cluster's decide."""
    from repro.execute.runners import cards_for
    from repro.manifest.load import load_experiment

    cards = cards_for(_choice(name, runner).kind, load_experiment(name).image)
    return min((card.gibibytes for card in cards), default=None)


def _built(places: "list[Place]") -> "Sequence[Structure | None]":
    """What each run's model and adapter are built of, without weights; a note where that cannot be found out here."""
    from repro.errors import SetupError
    from repro.execute.folders import cache_folder
    from repro.execute.structures import dry_run

    def note(words: str) -> None:
        print(f"repro plan: {words}", file=sys.stderr, flush=True)

    try:
        return dry_run([place.run for place in places], cache_folder(), note)
    except SetupError as problem:
        note(str(problem))
        return [None] * len(places)


def _note_unusable_gpu(given: argparse.Namespace) -> None:
    """Say on standard error that the GPU this plan counts on cannot be used yet."""
    from repro.execute.device import planned_gpus, unusable

    cards = planned_gpus() if _choice(given.name, given.runner).kind == "local" else []
    if cards and (problem := unusable(cards[0])):
        print(f"repro plan: {problem}", file=sys.stderr)


def _fetch(given: argparse.Namespace) -> int:
    from repro.execute.folders import cache_folder

    _bring_probe_sets(given.name)
    _fetch_all(_runs(given.name), verify=True)
    _say(f"everything {given.name} needs is in {cache_folder()}")
    return 0


def _chosen(given: argparse.Namespace) -> "list[Place]":
    return [place for place in _places(given) if not given.only or fnmatch(place.run.slot, given.only)]


def _bring_probe_sets(name: str) -> bool:
    from repro.manifest.load import load_experiment
    from repro.probecheck.materialise import bring_probe_sets

    return bring_probe_sets(load_experiment(name), _say)


def _fetch_all(runs: "Sequence[Run]", verify: bool = False) -> None:
    from repro.execute.fetch import fetch_models, fetch_texts
    from repro.execute.folders import cache_folder

    fetch_models([run.model for run in runs], cache_folder(), _say, verify)
    sources = [source for run in runs for domain in run.domains.values() for source in domain]
    fetch_texts(sources, cache_folder(), _say)


def _run(given: argparse.Namespace) -> int:
    from repro.errors import InputError
    from repro.evidence.lock import exclusive
    from repro.execute.cards import card_groups
    from repro.execute.device import require_usable
    from repro.execute.folders import cache_folder, results_folder
    from repro.execute.queue import carry_out
    from repro.execute.runners import cards_for, open_runner
    from repro.manifest.load import load_experiment
    from repro.manifest.papers import load_claims
    from repro.report.progress import watcher

    places = _chosen(given)
    if not places:
        raise InputError(f"--only {given.only}: no run of {given.name} matches; `repro plan {given.name}` lists them")
    if given.max_parallel is not None and given.max_parallel < 1:
        raise InputError(f"--max-parallel: found {given.max_parallel}, expected at least 1")
    choice, image = _choice(given.name, given.runner), load_experiment(given.name).image
    _say(choice.words)
    left_out = _left_out(given, places)
    places = [place for place in places if place.run.id not in left_out]
    here = cards_for(choice.kind, image)
    if choice.kind == "local" and any(place.state != "finished" for place in places):
        require_usable(here)
    for words in left_out.values():
        print(f"repro run: left out: {words}", file=sys.stderr, flush=True)
    _tell_settings(given.name, places, sys.stdout)
    runs = [place.run for place in places]
    cards = card_groups(runs, here)
    at_once = given.max_parallel or len(cards) or _at_once(runs)
    at_once = min(at_once, len(cards)) if cards else at_once
    experiment = places[0].run.experiment
    claims = {claim.id: claim.digest for claim in load_claims() if claim.measured_by == experiment}
    with exclusive(results_folder(given.results), "run"):
        if _bring_probe_sets(given.name):
            kept = {place.run.slot for place in places}  # a run is named for the texts it is measured on
            places = [place for place in _chosen(given) if place.run.slot in kept]
        _fetch_all([place.run for place in places if place.state != "finished"])
        results = results_folder(given.results)
        runner = open_runner(choice, image, places, cache_folder(), results, at_once, cards)
        with watcher(places) as shown:
            together = len(places) if choice.kind == "slurm" else at_once  # a cluster has a queue of its own
            outcome = carry_out(places, claims, runner, together, shown)
    small = f"; {len(left_out)} left out: too large for this machine" if left_out else ""
    _say(f"{outcome.words()}{small}; evidence in {results_folder(given.results)}")
    return 3 if outcome.failed or left_out else 0


def _left_out(given: argparse.Namespace, places: "list[Place]") -> dict[str, str]:
    """Return why runs do not fit this machine, by id, and those that go on from them. Raises SetupError if none fits."""
    from repro.errors import SetupError
    from repro.execute.machine import memory_gibibytes
    from repro.plan.fit import refusal

    if _choice(given.name, given.runner).kind == "slurm":
        return {}  # the cluster's own limits decide
    memory, gpu = memory_gibibytes(), _gpu(given.name, given.runner)
    found: dict[str, str] = {}
    for run in (place.run for place in places if place.state != "finished"):  # parents come first
        if words := refusal(run, memory, gpu):
            found[run.id] = words
        elif run.parent and run.parent.id in found:
            found[run.id] = f"{run.slot}: goes on from {run.parent.slot}, which is left out"
    if found and len(found) == len(places):
        raise SetupError(next(iter(found.values())))
    return found


def _at_once(runs: "list[Run]") -> int:
    """As many runs as there are cores, while three quarters of the free memory hold them."""
    import psutil

    from repro.plan.budget import gibibytes

    free = psutil.virtual_memory().available / 2**30
    fitting = int(0.75 * free / max(gibibytes(run) for run in runs))
    return max(1, min(os.cpu_count() or 1, fitting, len(runs)))


def _status(given: argparse.Namespace) -> int:
    from repro.execute.folders import results_to_read
    from repro.report.status import print_status

    print_status(results_to_read(given.results))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
