"""What stands below a plan's table: sums, disk, what the models are built of, what cannot fit, what is assumed."""

import shutil
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from repro.execute.folders import Place
from repro.manifest.data import Source
from repro.plan.budget import (
    EFFICIENCY,
    GPU_GIB,
    PEAK,
    PROBE_TOKENS,
    READ,
    disk_gibibytes,
    kept_gibibytes,
    models_gibibytes,
    total,
)
from repro.plan.figures import figure, span
from repro.plan.processor import cpu_hours
from repro.plan.run import Run
from repro.plan.structure import Structure
from repro.plan.texts import texts_file, texts_gibibytes
from repro.plan.work import TEXT_LENGTH
from repro.report.plan_machine import Machine, fetched, to_do

GIB = 2**30


def sums(places: Sequence[Place], machine: Machine) -> str:
    """How many runs are left, and what they take; those that cannot fit are left out, and that is said."""
    left, large = to_do(places, machine), sum(machine.cannot(place) is not None for place in places)
    hours = total(left)
    needed = f": {span(hours.low, hours.high, ' to ')} GPU-hours{_here(left, machine)}" if left else ""
    out = f"; {large} too large, left out" if large else ""
    return f"{len(left)} of {len(places)} runs to do{needed}{out}"


def _here(runs: Sequence[Run], machine: Machine) -> str:
    """The sum in processor time, where this machine holds every run."""
    if not runs or not all(map(machine.holds, runs)):
        return ""
    used = [cpu_hours(run, machine.operations) for run in runs]
    return f", or {span(sum(one.low for one in used), sum(one.high for one in used), ' to ')} hours of one core"


def disk(runs: Sequence[Run], machine: Machine) -> tuple[str, bool]:
    """What these runs still write and fetch against what is free, and whether that is enough."""
    kept = sum(map(kept_gibibytes, runs))
    passing = max((disk_gibibytes(run) - kept_gibibytes(run) for run in runs), default=0.0)
    models = models_gibibytes(run for run in runs if not fetched(run.model, machine.cache))
    texts, unknown = texts_gibibytes(_texts_to_fetch(runs, machine.cache))
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
        found = f"{figure(_free(results))} GiB are free for evidence, {figure(_free(cache))} GiB for models"
    short = "" if enough else ": too little (repro clean, REPRO_RESULTS, REPRO_CACHE)"
    return f"{needed}; {found}{short}", enough


def _texts_to_fetch(runs: Sequence[Run], cache: Path) -> Iterator[Source]:
    for run in runs:
        for source in chain.from_iterable(run.domains.values()):
            if not texts_file(cache, source, run.environment["texts"]).exists():
                yield source


def _there(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _free(path: Path) -> float:
    return shutil.disk_usage(path).free / GIB


def problems(places: Sequence[Place], machine: Machine) -> list[str]:
    """A line for each reason that runs cannot fit, naming the runs."""
    found: dict[str, list[str]] = {}
    for place in places:
        if words := machine.cannot(place):
            found.setdefault(words, []).append(place.run.slot)
    return [f"{_some(names)}: {words}" for words, names in found.items()]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def composition(run: Run, built: Structure) -> str:
    """What the run's model and adapter are made of, as built without weights."""
    adapter = built.adapter
    if run.steps == 0:
        trained = ""
    elif run.training.trained.kind == "full":
        trained = ", all of them trained"
    else:
        kind, found = run.training.trained.kind, sum(adapter.modules.values())
        counts = f"{adapter.matrices} matrices, {_short(adapter.parameters)} trained"
        trained = f"; {kind} on {found} modules, every target found: {counts}"
    size = f"{_short(built.parameters)} parameters, {built.layers} blocks of width {built.hidden_size}"
    return f"{run.model.id} as built: {size}{trained}"


def _short(count: int) -> str:
    """A number of parameters: 1.54 B, 536.9 M, 45.3 k, 512."""
    if count >= 0.999995e9:
        return f"{count / 1e9:.2f} B"
    if count >= 0.99995e6:
        return f"{count / 1e6:.1f} M"
    return f"{count / 1e3:.1f} k" if count >= 1e3 else str(count)


def assumed(machine: Machine) -> str:
    """What the estimates rest on."""
    peaks = f"{PEAK['bfloat16'] / 1e12:.0f} bf16 and {PEAK['float32'] / 1e12:g} float32 TFLOP/s"
    return (
        f"Assumed: one A100 ({peaks}) at {EFFICIENCY[0]:.0%} to {EFFICIENCY[1]:.0%} of its peak, models read at "
        f"{1 / READ / 1e9:g} GB/s, texts of {TEXT_LENGTH[0]} to {TEXT_LENGTH[1]} tokens, probes of {PROBE_TOKENS[0]:,} to "
        f"{PROBE_TOKENS[1]:,}; memory from the shortest such text to one of the protocol's full length, of the "
        f"{machine.gpu or GPU_GIB:.0f} GiB one GPU has. CPU: hours of one core, which multiplies "
        f"{machine.operations / 1e9:.0f} float32 GFLOP/s here (measured); – where {machine.gibibytes:.0f} GiB do not hold the run."
    )
