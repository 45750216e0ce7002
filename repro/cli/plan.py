"""The verb plan: every run of a manifest, what it costs, and what keeps it from running here."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from repro.api.asked import claims_for
from repro.cli.asked import cards_of, choice_of, chosen_runs, places_of, tell_settings

if TYPE_CHECKING:
    from repro.claims.claim import Claim
    from repro.execute.folders import RunPlace
    from repro.plan.structure import Structure
    from repro.report.terminal.plan_notes import Machine


CARDS = ("h100-80", "h200-141", "a100-80", "4090-24")
"""Cards whose speeds are known (`repro.cost.profiles`)."""


def plan(given: argparse.Namespace) -> int:
    """Print the plan, as a table or JSON; what stands in the way goes to standard error.

    Raises ReproError.
    """
    from repro.errors import InputError, SetupError
    from repro.execute.folders import passing_cache
    from repro.fetch.texts import check_own_texts
    from repro.report.export.tables import print_table
    from repro.report.terminal.plan import plan_json, plan_table, print_plan

    if given.price is not None and not 0 < given.price < float("inf"):
        raise InputError(f"--price: found {given.price:g}, expected what a GPU-hour costs, above 0")
    places = chosen_runs(given, places_of(given))
    check_own_texts([place.run for place in places], passing_cache(), _note)
    built, machine = _built(places), _machine(given)
    if given.json:
        print(plan_json(places, built, machine))
    elif given.format != "table":
        print_table(plan_table(places, machine), given.format)
    else:
        print_plan(places, built, machine)
        for line in _where(given, places):
            print(line, flush=True)
    for place in places:
        if place.state == "damaged":
            _note(f"damaged: {place.changes[0]}")
    stream = sys.stderr if given.json or given.format != "table" else sys.stdout
    claims = claims_for(given.name, given.papers)
    tell_settings(given.name, places, claims, stream)
    _tell_headlines(places, claims, stream)
    if problem := _not_ready(given):
        _note(problem)
    large = [words for place in places if (words := machine.cannot(place))]
    if len(large) == len(places):
        raise SetupError(
            f"{given.name}: no run can be carried out; {places[0].run.slot} {large[0]}"
        )
    return 0


def _machine(given: argparse.Namespace) -> "Machine":
    """Return what the runs would have: the card that is named, else those here."""
    from repro.cost.profiles import H100, PROFILES, card, core
    from repro.execute.device import memory_gibibytes
    from repro.execute.folders import cache_folder, results_folder
    from repro.report.terminal.plan_notes import Machine

    here, cache = [] if given.gpu else cards_of(given.name, given.runner), cache_folder()
    profile = PROFILES[given.gpu] if given.gpu else card(here[0].name, cache) if here else H100
    gpu = profile.gibibytes if given.gpu else max((one.gibibytes for one in here), default=None)
    folders, cards = (results_folder(given.results), cache), max(1, len(here))
    return Machine(memory_gibibytes(), core(cache), profile, gpu, *folders, cards, given.price)


def _tell_headlines(
    places: "Sequence[RunPlace]", claims: "Sequence[Claim]", stream: TextIO
) -> None:
    """Say for each headline claim whether the seeds that are planned can decide it."""
    from repro.verify.headline import headline_notes, seeds_of

    seeds = seeds_of((place.run.model.id, place.run.condition_id) for place in places)
    lines = [*headline_notes(places[0].run.experiment, seeds, claims)]
    if lines:
        print(
            "could these seeds decide the papers' headline claims, with the spread that is printed:",
            file=stream,
        )
    for line in lines:
        print(f"  {line}", file=stream, flush=True)


def _built(places: "list[RunPlace]") -> "Sequence[Structure | None]":
    """Return what each run's model and adapter are built of, without weights.

    A note says so where that cannot be found out here.
    """
    from repro.errors import SetupError
    from repro.execute.folders import cache_folder
    from repro.machine.structures import dry_run

    try:
        return dry_run([place.run for place in places], cache_folder(), _note)
    except SetupError as problem:
        _note(str(problem))
        return [None] * len(places)


def _where(given: argparse.Namespace, places: "Sequence[RunPlace]") -> Iterator[str]:
    """Yield where the runs would be carried out: runner, cards, and what jobs ask a cluster for."""
    from repro.execute.cards import card_groups, idle_cards
    from repro.execute.cluster import load_cluster
    from repro.execute.slurm_ask import ask_for
    from repro.manifest.load import load_experiment

    choice = choice_of(given.name, given.runner)
    yield choice.words
    runs = [place.run for place in places if place.state != "finished"]
    here = cards_of(given.name, given.runner)
    yield from idle_cards(runs, here)
    if groups := card_groups(runs, here):
        cards = sum(len(group.split(",")) for group in groups)
        yield (
            f"{cards} {'card' if cards == 1 else 'cards'} here: {len(groups)} at once, unless "
            "--max-parallel says fewer"
        )
    if choice.kind == "slurm":
        on_gpu, cluster = load_experiment(given.name).image == "cuda", load_cluster()
        asks = Counter(ask_for(run, cluster, on_gpu).words() for run in runs)
        yield f"jobs ask for: {'; '.join(f'{count} × {words}' for words, count in asks.items())}"


def _not_ready(given: argparse.Namespace) -> str | None:
    """Say what keeps the runner (card, engine, image, cluster) from working here, if anything."""
    from repro.execute.device import unusable
    from repro.execute.folders import cache_folder
    from repro.execute.runners import not_ready
    from repro.manifest.load import load_experiment

    choice, cards = choice_of(given.name, given.runner), cards_of(given.name, given.runner)
    if choice.kind == "local":
        return unusable(cards[0]) if cards else None
    return not_ready(choice, load_experiment(given.name).image, cache_folder())


def _note(words: str) -> None:
    print(f"repro plan: {words}", file=sys.stderr, flush=True)
