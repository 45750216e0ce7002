"""Carry out the runs of a manifest, or bring what they need: what `run` and `fetch` do."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from repro.api.asked import claims_for
from repro.cli.asked import (
    cards_of,
    choice_of,
    chosen_runs,
    matching,
    places_of,
    runs_of,
    tell_settings,
)
from repro.cli.output import note

if TYPE_CHECKING:
    from repro.execute.folders import RunPlace
    from repro.execute.jobs import Runner
    from repro.execute.queue import QueueOutcome
    from repro.plan.run import Run


def fetch_needed(given: argparse.Namespace) -> int:
    """Bring into the cache what runs need; with --stream measure them while it comes."""
    from repro.execute.folders import cache_folder
    from repro.fetch.models import check_room

    if given.stream:
        return carry_out_runs(given)
    check_room(matching(given, runs_of(given.name, base=given.base)), cache_folder())
    _bring_probe_sets(given.name)
    _fetch_all(matching(given, runs_of(given.name, base=given.base)))
    what = f"these runs of {given.name} need" if given.only else f"{given.name} needs"
    _say(f"everything {what} is in {cache_folder()}")
    return 0


def carry_out_runs(given: argparse.Namespace) -> int:
    """Carry out every run that is not finished; return 3 where one failed or is left out, else 0.

    Raises ReproError for what keeps all of them from beginning.
    """
    from repro.errors import InputError
    from repro.evidence.asked import write_asked
    from repro.evidence.lock import exclusive
    from repro.evidence.seals import seal_claims
    from repro.execute.folders import results_folder
    from repro.fetch.stream_runner import require_streamable

    if given.max_parallel is not None and given.max_parallel < 1:
        raise InputError(f"--max-parallel: found {given.max_parallel}, expected at least 1")
    asked = places_of(given)
    places = chosen_runs(given, asked)
    if given.stream:  # before memory: what trains is told of --base, not of more memory
        require_streamable([place.run for place in places])
    left_out = _left_out(given, places)
    places = [place for place in places if place.run.id not in left_out]
    places, harmed = _repairable(given, places)
    if not places:
        return 3
    _require_ready(given, places)
    _tell_left_out(left_out)
    claims = claims_for(given.name, given.papers)
    tell_settings(given.name, places, claims, sys.stdout)
    _require_room(given, places)
    results = results_folder(given.results)
    with exclusive(results, "run"):
        if _bring_probe_sets(given.name):
            # a run is named for the texts it is measured on
            kept = {place.run.slot for place in places}
            asked = places_of(given)
            places = [place for place in chosen_runs(given, asked) if place.run.slot in kept]
        places = _set_aside(places, results)
        if not given.stream:
            _fetch_all([place.run for place in places if place.state != "finished"])
        seal = seal_claims(results, claims)  # of every manifest: a run may serve another one later
        write_asked(results, places[0].run.experiment, [place.run for place in asked])
        outcome = _work(given, places, seal)
        if not (given.base or given.stream):
            _evaluate(given, outcome.finished)
    small = f"; {len(left_out)} left out: too large for this machine" if left_out else ""
    spoilt = f"; {harmed} left out: damaged, --repair makes them again" if harmed else ""
    _say(f"{outcome.words()}{small}{spoilt}; evidence in {results}")
    return 3 if outcome.failed or left_out or harmed else 0


def _repairable(
    given: argparse.Namespace, places: "list[RunPlace]"
) -> "tuple[list[RunPlace], int]":
    """Name the damaged runs; return what is carried out, and how many are left out for damage.

    Without --repair these are the damaged ones, and those that would go on from them.
    """
    damaged = {place.run.id: place for place in places if place.state == "damaged"}
    for place in damaged.values():
        note(f"damaged: {place.changes[0]}")
    if given.repair:
        return places, 0
    out = set(damaged)
    for place in places:  # parents come first
        run = place.run
        if place.state != "finished" and run.parent and run.parent.id in out:
            out.add(run.id)
            note(f"left out: {run.slot}: goes on from {run.parent.slot}, which is damaged")
    if damaged:
        note("--repair sets what is left of damaged runs aside and makes them again")
    return [place for place in places if place.run.id not in out], len(out)


def _set_aside(places: "list[RunPlace]", results: Path) -> "list[RunPlace]":
    """Move what is left of damaged runs aside; return the places as they are now."""
    from repro.execute.folders import place_run
    from repro.execute.repair import set_aside

    kept = []
    for place in places:
        if place.state == "damaged":
            note(f"{place.run.slot}: set aside in {set_aside(place, results)}")
            kept.append(place_run(place.run, results))
        else:
            kept.append(place)
    return kept


def _require_ready(given: argparse.Namespace, places: "Sequence[RunPlace]") -> None:
    """Say where the runs go; raise SetupError where nothing can be carried out there."""
    from repro.errors import SetupError
    from repro.execute.device import require_usable
    from repro.execute.folders import cache_folder
    from repro.execute.runners import not_ready
    from repro.manifest.load import load_experiment

    choice, image = choice_of(given.name, given.runner), load_experiment(given.name).image
    streamed = "runner local: what is streamed is measured by processes of this machine"
    _say(streamed if given.stream else choice.words)
    unfinished = [place for place in places if place.state != "finished"]
    _refuse_other_packages(given, unfinished)
    if choice.kind == "local" and unfinished:
        require_usable(cards_of(given.name, given.runner))
    elif unfinished and (problem := not_ready(choice, image, cache_folder())):
        raise SetupError(problem)


def _require_room(given: argparse.Namespace, places: "Sequence[RunPlace]") -> None:
    """Name the cards that stay idle; raise ReproError where the runs' models have no room here."""
    from repro.execute.cards import idle_cards
    from repro.execute.folders import cache_folder
    from repro.fetch.models import check_room

    runs = [place.run for place in places]
    for line in idle_cards(runs, cards_of(given.name, given.runner)):
        note(line)
    if not given.stream:  # before the texts of probes are fetched
        unfinished = [place.run for place in places if place.state != "finished"]
        check_room(unfinished, cache_folder())


def _work(given: argparse.Namespace, places: "list[RunPlace]", seal: str) -> "QueueOutcome":
    """Start the runs on their runner and watch them to their end."""
    from repro.execute.cards import card_groups
    from repro.execute.folders import cache_folder, results_folder
    from repro.execute.queue import run_queue
    from repro.execute.runners import open_runner
    from repro.fetch.stream_runner import StreamRunner
    from repro.machine.elsewhere import at_work
    from repro.manifest.load import load_experiment
    from repro.report.terminal.progress import watcher

    choice, results = choice_of(given.name, given.runner), results_folder(given.results)
    runs = [place.run for place in places]
    cards = card_groups(runs, cards_of(given.name, given.runner))
    at_once = given.max_parallel or len(cards) or _at_once(runs)
    at_once = min(at_once, len(cards)) if cards else at_once
    if choice.kind == "docker":  # what is at work already keeps its card: it comes first
        going = at_work(results)
        places.sort(key=lambda place: place.folder.path not in going)
    image = load_experiment(given.name).image
    runner: Runner = (
        StreamRunner(cache_folder(), runs[0].threads)
        if given.stream
        else open_runner(choice, image, places, cache_folder(), results, at_once, cards)
    )
    with watcher(places) as shown:
        # a cluster has a queue of its own
        together = len(places) if choice.kind == "slurm" else at_once
        return run_queue(places, seal, runner, together, shown)


def _refuse_other_packages(given: argparse.Namespace, places: "list[RunPlace]") -> None:
    """Refuse to run on this machine's interpreter with other packages than runs are named for.

    Raises SetupError.
    """
    from repro.plan.environment import refuse_other_packages

    if choice_of(given.name, given.runner).kind == "local" and places:
        refuse_other_packages(places[0].run.environment)


def _bring_probe_sets(name: str) -> bool:
    from repro.fetch.probe_sets import bring_probe_sets
    from repro.manifest.load import load_experiment

    return bring_probe_sets(load_experiment(name), _say)


def _fetch_all(runs: "Sequence[Run]") -> None:
    from repro.execute.folders import cache_folder
    from repro.fetch.models import check_room, fetch_models
    from repro.fetch.texts import check_own_texts, fetch_texts

    check_own_texts(runs, cache_folder(), _say)  # before gigabytes are fetched
    check_room(runs, cache_folder())
    fetch_models([run.model for run in runs], cache_folder(), _say)
    sources = [source for run in runs for domain in run.domains.values() for source in domain]
    fetch_texts(sources, cache_folder(), _say)


def _evaluate(given: argparse.Namespace, finished: "list[RunPlace]") -> None:
    """Complete and score the benchmarks that the manifest asks for, and say what came of them."""
    from repro.execute.folders import cache_folder
    from repro.manifest.load import load_experiment
    from repro.report.terminal.evaluations import evaluation_lines
    from repro.score.runs import evaluate_runs

    evaluation = load_experiment(given.name).evaluation
    if evaluation is None or not finished:
        return
    for words in evaluate_runs(finished, evaluation, cache_folder(), given.sandbox, _say):
        note(words)
    runs = {place.run.slot: (place.run.model.id, place.folder) for place in finished}
    for line in evaluation_lines(runs):
        _say(line)


def _left_out(given: argparse.Namespace, places: "list[RunPlace]") -> "dict[str, tuple[str, str]]":
    """Return the runs that do not fit this machine, by id, each with its slot and why.

    Those that go on from them are among them. Raises SetupError if none fits.
    """
    from repro.cost.fit import refusal
    from repro.errors import SetupError
    from repro.execute.device import memory_gibibytes

    if choice_of(given.name, given.runner).kind == "slurm":
        return {}  # the cluster's own limits decide
    memory, cards = memory_gibibytes(), cards_of(given.name, given.runner)
    gpu = max((card.gibibytes for card in cards), default=None)
    found: dict[str, tuple[str, str]] = {}
    for run in (place.run for place in places if place.state != "finished"):  # parents come first
        if words := refusal(run, memory, gpu, len(cards)):
            found[run.id] = run.slot, words
        elif run.parent and run.parent.id in found:
            found[run.id] = run.slot, f"goes on from {run.parent.slot}, which is left out"
    if found and len(found) == len(places):
        raise SetupError(": ".join(next(iter(found.values()))))
    return found


def _tell_left_out(left_out: "dict[str, tuple[str, str]]") -> None:
    """Name the runs that are left out, those with one reason in one line."""
    for words in dict.fromkeys(words for _, words in left_out.values()):
        slots = [slot for slot, why in left_out.values() if why == words]
        note(f"left out: {', '.join(slots)}: {words}")


def _at_once(runs: "list[Run]") -> int:
    """Return how many runs the cores have threads for and 3/4 of the free memory hold."""
    import psutil

    from repro.cost.walked import needed_gibibytes
    from repro.execute.device import memory_gibibytes

    memory = memory_gibibytes()
    free = psutil.virtual_memory().available / 2**30
    fitting = int(0.75 * free / max(needed_gibibytes(run, memory) for run in runs))
    return max(1, min((os.cpu_count() or 1) // runs[0].threads, fitting, len(runs)))


def _say(line: str) -> None:
    print(line, flush=True)
