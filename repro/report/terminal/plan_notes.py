"""What stands below a plan's table: sums, disk, what models are built of, what cannot fit.

Last, what is assumed.
"""

import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from repro.cache import is_fetched, model_folder
from repro.cost.figures import Range, figure, write_range
from repro.cost.fit import obstacle
from repro.cost.hours import run_hours
from repro.cost.lengths import MIXED, step_lengths
from repro.cost.profiles import Speeds
from repro.cost.space import (
    GPU_GIB,
    disk_gibibytes,
    gpu_gibibytes,
    kept_gibibytes,
    models_gibibytes,
)
from repro.cost.walked import SHARE, needed_gibibytes, walks
from repro.execute.folders import RunPlace
from repro.files import GIB
from repro.plan.run import Run
from repro.plan.structure import Structure
from repro.plan.texts import texts_file, texts_gibibytes


@dataclass(frozen=True)
class Machine:
    """What runs would have here."""

    gibibytes: float
    core: Speeds
    card: Speeds
    """Of the GPU that the runs would have, or that plans assume."""
    gpu: float | None
    """GiB of that GPU; None where it is only assumed."""
    results: Path
    cache: Path
    cards: int = 1
    """How many such GPUs there are."""
    price: float | None = None
    """Of a GPU-hour, in any currency."""

    def hours(self, on: Speeds, *runs: Run) -> Range:
        """Return the hours of runs on the card or a core, with texts as long as those fetched.

        A run that is spread over several cards takes the hours of each.
        """
        took = Range()
        for run in runs:
            spread = math.ceil(gpu_gibibytes(run).high / self.gpu) if self.gpu else 1
            cards = min(self.cards, spread) if on is self.card else 1
            took += run_hours(run, on, step_lengths(run, self.cache)) * cards
        return took

    def holds(self, run: Run) -> bool:
        """Tell whether the run fits this machine's memory."""
        return self.needed(run) <= self.gibibytes

    def needed(self, run: Run) -> float:
        """Return the GiB of memory that the run takes here."""
        return needed_gibibytes(run, self.gibibytes)

    def obstacle(self, run: Run) -> str | None:
        """Say why the run fits no GPU.

        None when it fits one, or when there is none and the memory here holds it.
        """
        return None if self.gpu is None and self.holds(run) else obstacle(run, self.gpu, self.cards)

    def cannot(self, place: RunPlace) -> str | None:
        """Say why a run that is not finished cannot be carried out; None where it can."""
        return None if place.state == "finished" else self.obstacle(place.run)


def to_do(places: Sequence[RunPlace], machine: Machine) -> list[Run]:
    """Return the runs that are left and can be carried out."""
    return [
        place.run for place in places if place.state != "finished" and machine.cannot(place) is None
    ]


def sums(places: Sequence[RunPlace], machine: Machine) -> str:
    """Say how many runs are left, and what they take.

    Those that cannot fit are left out, and that is said.
    """
    left, large = to_do(places, machine), sum(machine.cannot(place) is not None for place in places)
    took = machine.hours(machine.card, *left)
    paid = f", {write_range(took * machine.price, ' to ')} to pay" if machine.price else ""
    core = write_range(machine.hours(machine.core, *left), " to ")
    here = f", or {core} hours of one core" if all(map(machine.holds, left)) else ""
    needed = f": {write_range(took, ' to ')} GPU-hours{paid}{here}" if left else ""
    out = f"; {large} too large, left out" if large else ""
    return f"{len(left)} of {len(places)} runs to do{needed}{out}"


def disk(runs: Sequence[Run], machine: Machine) -> tuple[str, bool]:
    """Say what these runs still write and fetch and what is free; tell whether that is enough."""
    kept = sum(map(kept_gibibytes, runs))
    passing = max((disk_gibibytes(run) - kept_gibibytes(run) for run in runs), default=0.0)
    absent = [run for run in runs if not is_fetched(model_folder(machine.cache, run.model.folder))]
    models = models_gibibytes(absent)
    read = [(run, source) for run in runs for source in chain(*run.domains.values())]
    files = [(texts_file(machine.cache, one, run.environment.texts), one) for run, one in read]
    texts, unknown = texts_gibibytes(source for file, source in files if not file.exists())
    results, cache = map(_there, (machine.results, machine.cache))
    needed = f"disk still needed: {figure(kept)} GiB for evidence"
    needed += f" and {figure(passing)} GiB for each run under way" if passing else ""
    needed += f", {figure(models)} GiB for models"
    needed += f", at most {figure(texts)} GiB for texts" if texts else ""
    needed += f" (not counting {', '.join(unknown)}: size not stated)" if unknown else ""
    if results.stat().st_dev == cache.stat().st_dev:
        enough = kept + passing + models + texts <= _free(results)
        found = f"{figure(_free(results))} GiB are free"
    else:
        enough = kept + passing <= _free(results) and models + texts <= _free(cache)
        free = figure(_free(results)), figure(_free(cache))
        found = f"{free[0]} GiB are free for evidence, {free[1]} GiB for models"
    short = "" if enough else ": too little (repro clean, REPRO_RESULTS, REPRO_CACHE, --only)"
    return f"{needed}; {found}{short}", enough


def _there(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _free(path: Path) -> float:
    return shutil.disk_usage(path).free / GIB


def plan_problems(places: Sequence[RunPlace], machine: Machine) -> list[str]:
    """Return a line for each reason that runs cannot fit, naming the runs."""
    found: dict[str, list[str]] = {}
    for place in places:
        if words := machine.cannot(place):
            found.setdefault(words, []).append(place.run.slot)
    return [
        *(f"{_some(names)}: {words}" for words, names in found.items()),
        *_without_card(places, machine),
    ]


def _without_card(places: Sequence[RunPlace], machine: Machine) -> Iterator[str]:
    """Yield what a machine without a GPU cannot do of a plan that assumes one."""
    runs = to_do(places, machine)
    large = sum(not machine.holds(run) for run in runs) if machine.gpu is None else 0
    if large:
        yield (
            f"{large} of {len(runs)} need a GPU: none is used here, and {machine.gibibytes:.0f} GiB of "
            "memory do not hold them; this machine can plan and judge them, a machine with a card "
            "or a cluster carries them out"
        )


def by_block(places: Sequence[RunPlace], machine: Machine) -> Iterator[str]:
    """Yield what it means that models are measured block by block here, where any is."""
    runs = [run for run in to_do(places, machine) if walks(run, machine.gibibytes)]
    if not runs:
        return
    memory = [machine.needed(run) for run in runs]
    used = machine.hours(machine.core, *runs)
    yield (
        f"{_some([run.slot for run in runs])}: measured block by block, since the whole model would "
        f"take more than {SHARE:.0%} of {machine.gibibytes:.0f} GiB: the same numbers, with "
        f"{write_range(Range(min(memory), max(memory)))} GiB of memory each and {write_range(used)} "
        "hours of one core in all; a killed run goes on at its last finished block; "
        "`repro fetch --stream` does it while the model comes, with two of its files on the disk"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def composition(run: Run, built: Structure) -> str:
    """Say what the run's model and adapter are made of, as built without weights."""
    adapter = built.adapter
    if run.steps == 0:
        trained = ""
    elif run.training.trained.kind == "full":
        trained = ", all of them trained"
    else:
        kind, found = run.training.trained.kind, sum(adapter.modules.values())
        counts = f"{adapter.matrices} matrices, {_short(adapter.parameters)} trained"
        trained = f"; {kind} on {found} modules, every target found: {counts}"
    size = f"{built.layers} blocks of width {built.hidden_size}"
    return f"{run.model.id} as built: {_short(built.parameters)} parameters, {size}{trained}"


def _short(count: int) -> str:
    """Write a number of parameters: 1.54 B, 536.9 M, 45.3 k, 512."""
    if count >= 0.999995e9:
        return f"{count / 1e9:.2f} B"
    if count >= 0.99995e6:
        return f"{count / 1e6:.1f} M"
    return f"{count / 1e3:.1f} k" if count >= 1e3 else str(count)


def describe_assumptions(places: Sequence[RunPlace], machine: Machine) -> str:
    """Say what the estimates rest on."""
    longest = sum(
        run_hours(
            run, machine.card, [[run.training.max_length] * run.training.sequences_per_step]
        ).high
        for run in to_do(places, machine)
    )
    texts = (
        f" Texts are as long as those in the cache; of sources that are not there, {min(MIXED)} to "
        f"{max(MIXED):,} tokens, mean {sum(MIXED) / len(MIXED):.0f}. Were every text of the "
        f"protocol's full length, {figure(longest)} GPU-hours at most."
    )
    trains = any(place.run.steps for place in places)
    return (
        f"GPU-hours: of one {machine.card.name} of {machine.gpu or GPU_GIB:.0f} GiB, its speeds "
        f"{'measured ' + machine.card.measured if machine.card.measured else 'not measured'}. "
        f"CPU-hours: of one core ({machine.core.products['float32'] / 1e9:.0f} float32 GFLOP/s), – "
        f"where {machine.gibibytes:.0f} GiB do not hold the run. `repro doctor --measure` takes "
        f"the speeds of this machine.{texts if trains else ''}"
    )
