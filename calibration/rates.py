"""Estimate how often each outcome is given, by simulating a plan of cells."""

import gc
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

from calibration.kinds import KINDS, LAWLESS, Truth, outcome_of
from calibration.papers import code
from calibration.seeds import LAWS

TRUTHS = {"true": 1.0, "half": 0.5, "none": 0.0, "reversed": -1.0}
PAPER = "whole paper"
ABSENT = "one headline effect absent"


class Setting(NamedTuple):
    """One cell of the plan."""

    kind: str
    law: str
    truth: str
    n: int
    m: int
    repetitions: int


class Rate(NamedTuple):
    """The number of times each outcome (or exit code) was given."""

    setting: Setting
    counts: dict[str, int]

    def of(self, outcome: str) -> float:
        """Return the share of one outcome."""
        return self.counts.get(outcome, 0) / self.setting.repetitions


def quick() -> Iterator[Setting]:
    """Yield the plan of a minute: every kind at 3 and 8 runs, and a few papers."""
    for kind in KINDS:
        for law in ("normal",) if kind in LAWLESS else ("normal", "two clusters"):
            for n, m in ((3, 3), (8, 8)):
                yield Setting(kind, law, "true", n, m, 250)
        yield Setting(kind, "normal", "none", 8, 8, 150)
    for law in ("normal", "two values"):
        yield Setting(PAPER, law, "true", 3, 3, 100)
    yield Setting(PAPER, "normal", ABSENT, 8, 8, 60)


def full(repetitions: int = 1000) -> Iterator[Setting]:
    """Yield the plan of half an hour on two free cores: every kind, law and truth, at six pairs
    of run numbers.

    A true claim with normal seeds gets all the repetitions, with another law half of them, an
    untrue one a quarter, and a paper a fifth.
    """
    sizes = ((3, 1), (3, 2), (3, 3), (3, 8), (8, 3), (8, 8))
    for kind in KINDS:
        for n, m in sizes:
            for law in ("normal",) if kind in LAWLESS else LAWS:
                yield Setting(kind, law, "true", n, m, repetitions // (1 if law == "normal" else 2))
            for truth in ("half", "none", "reversed"):
                yield Setting(kind, "normal", truth, n, m, repetitions // 4)
    for n, m in ((3, 2), (3, 3), (3, 8), (8, 8)):
        for law in LAWS:
            yield Setting(PAPER, law, "true", n, m, repetitions // 5)
    for n, m in ((3, 8), (8, 3), (8, 8)):
        yield Setting(PAPER, "normal", ABSENT, n, m, repetitions // 5)


def simulate(setting: Setting) -> Rate:
    """Draw one cell's studies and judge them.

    The numbers are the same on every machine and in every order.
    """
    rng = np.random.default_rng(zlib.crc32(repr(setting).encode()))
    share = TRUTHS.get(setting.truth, 1.0)
    truth = Truth(rng, LAWS[setting.law], share, setting.n, setting.m)
    if setting.kind == PAPER:
        absent = setting.truth == ABSENT
        found: Iterable[str] = (str(code(truth, absent=absent)) for _ in range(setting.repetitions))
    else:
        found = (outcome_of(KINDS[setting.kind], truth) for _ in range(setting.repetitions))
    return Rate(setting, dict(Counter(found)))


def simulate_all(settings: Sequence[Setting], workers: int = 2) -> list[Rate]:
    """Simulate every cell, in the order given."""
    with ProcessPoolExecutor(workers, initializer=gc.freeze) as pool:
        return list(pool.map(simulate, settings, chunksize=4))
