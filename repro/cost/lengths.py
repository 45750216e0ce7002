"""Tell how long the texts are that a run reads: as fetched, else as training sets mix them."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random

from repro.errors import ManifestError
from repro.manifest.data import Source
from repro.manifest.probes import load_probe_set
from repro.plan.run import Run
from repro.plan.texts import texts_file

MIXED = (2048, 1210, 905, 760, 640, 560, 480, 430, 380, 330, 290, 250, 210, 170, 130, 90)
"""Tokens of sixteen texts, mean 555: what steps read while texts are not fetched."""
CHARACTERS = 3.8
"""Characters of a text per token."""
_READ, _STEPS = 400, 16
"""Texts of a source that are looked at, and steps that are drawn from them."""
_UNKNOWN = 25_000
"""Characters assumed for a probe set whose texts are not fetched yet."""
Steps = Sequence[Sequence[int]]
"""Tokens of the texts of some steps, before the cut at the protocol's maximum."""


def step_lengths(run: Run, cache: Path | None = None) -> Steps:
    """Return steps like a run's: drawn from its texts where all are in the cache, else mixed."""
    each, shares = run.training.sequences_per_step, Counter[str]()
    for phase in run.condition.phases:
        shares.update({name: share * phase.steps for name, share in phase.mixture.items()})
    found = {
        domain: [_fetched(cache, source, run.environment.texts) for source in run.domains[domain]]
        for domain in shares
    }
    if not found or not all(map(all, found.values())):
        return [[MIXED[(2 * text + 1) * len(MIXED) // (2 * each)] for text in range(each)]]
    random = Random(0)
    drawn = random.choices([*shares], [*shares.values()], k=each * _STEPS)
    lengths = [random.choice(random.choice(found[domain])) for domain in drawn]
    return [lengths[at : at + each] for at in range(0, len(lengths), each)]


def _fetched(cache: Path | None, source: Source, edition: str) -> Sequence[int]:
    """Return the tokens of a source's first texts; none where they are not in the cache."""
    file = texts_file(cache, source, edition) if cache else None
    return _lengths(file) if file and file.exists() else ()


@cache
def _lengths(file: Path) -> Sequence[int]:
    with file.open("rb") as lines:
        return [round(len(line) / CHARACTERS) for line in islice(lines, _READ)]


def probe_tokens(run: Run) -> float:
    """Return the tokens of all texts that each measurement reads."""
    return sum(_characters(name) for name in (run.probe_set, *run.also_probe_sets)) / CHARACTERS


@cache
def _characters(name: str) -> int:
    """Return the characters of a probe set's texts."""
    try:
        return sum(map(len, load_probe_set(name).texts()))
    except ManifestError:
        return _UNKNOWN  # Declared, but its texts are not fetched yet.
