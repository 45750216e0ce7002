"""Compare the geometry's speed with scikit-learn refits, by CPU time.

Both sides have one BLAS thread, as in all our processes (repro/__init__.py), which is the faster
choice for both. CPU time excludes other processes on the machine. What more threads do to both is
in the note, in wall time. Of the peer's fits a sample is timed, in turns with ours, and the rest
extrapolated; the note says so.
"""

import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from sklearn.linear_model import Ridge

from bench.table import Row, row
from repro.geometry.diagnosis import diagnose, measured
from repro.geometry.interval import bootstrap_interval, resamplings
from repro.geometry.labels import Labels
from repro.geometry.ridge import centred, spectrum
from repro.geometry.specification import specification_curve

WIDTH = 5120
DRAWS = 2000
SAMPLE = 36
"""Refits that are timed, each next to one of our damage matrices."""
FEW = 1000
"""Up to this many refits are all carried out, to compare their results."""


def rows() -> list[Row]:
    """Return the rows of the speed table that need no model."""
    return [
        damage_row(60, (3, 4, 4), 700),
        damage_row(480, (6, 4, 4), 6000),
        interval_row(),
        specification_row(),
        growth_row(),
        memory_row(),
    ]


def planted(
    n: int, cardinalities: tuple[int, ...], width: int = WIDTH
) -> tuple[np.ndarray, Labels]:
    """Return activations of low effective dimension with a mean per class, and balanced labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 40)) @ rng.normal(size=(40, width)) / 8 + 0.1 * rng.normal(
        size=(n, width)
    )
    columns = {}
    for j, m in enumerate(cardinalities):
        codes = rng.permutation(np.arange(n) % m)
        X += 0.5 * rng.normal(size=(m, width))[codes]
        columns[f"concept{j}"] = [str(code) for code in codes]
    return X, Labels.of(columns)


def seconds(work: Callable[[], object], repeats: int = 15) -> float:
    """Return the median CPU time of a call, after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return float(np.median(times))


def refit(X: np.ndarray, Y: np.ndarray, keep: np.ndarray, i: int) -> np.ndarray:
    """Predict one held-out row: the peer's unit of work."""
    return np.asarray(Ridge(alpha=1.0).fit(X[keep], Y[keep]).predict(X[i : i + 1])[0])


def damage_row(n: int, cardinalities: tuple[int, ...], bar: float) -> Row:
    """Compare the full damage matrix with a ridge refitted for every fold and every removed
    direction.
    """
    X, labels = planted(n, cardinalities)
    U = diagnose(X, labels).directions
    fits = n * (1 + U.shape[1])
    one, fast = in_turns(X, labels, U, SAMPLE)
    note = (
        f"{SAMPLE} of {fits} refits timed, {one * fits:.2f} s extrapolated, against "
        f"{1e3 * fast:.2f} ms"
    )
    if fits <= FEW:
        note += (
            "; largest difference to all of them "
            f"{np.abs(all_refits(X, labels, U) - damage_matrix(X, labels)).max():.0e}"
        )
    name = (
        f"damage matrix, n = {n}, d = {WIDTH}, {'×'.join(map(str, cardinalities))}, against "
        "scikit-learn refits"
    )
    return row(
        name, one * fits / fast, "×", bar, note=f"{note}; {_with_all_threads(n, cardinalities)}"
    )


def damage_matrix(X: np.ndarray, labels: Labels) -> np.ndarray:
    """Return the damage matrix R × K, from raw activations."""
    rows = centred(X)
    _, before, after = measured(rows, rows @ rows.T, labels, 1.0)
    return before - after


def _with_all_threads(n: int, cardinalities: tuple[int, ...]) -> str:
    """Return in words the wall times of both when BLAS has a thread for each processor."""
    code = (
        "import time; from bench.geometry import *; "
        f"X, labels = planted({n}, {cardinalities}); U = diagnose(X, labels).directions; "
        "print(*in_turns(X, labels, U, 7, time.perf_counter))"
    )
    threads = str(os.cpu_count() or 1)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads}
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=20
        )
    except subprocess.TimeoutExpired:
        return (
            f"with {threads} BLAS threads, on a machine as busy, seven of each did not finish in "
            "20 s"
        )
    theirs, mine = (1e3 * float(part) for part in done.stdout.split())
    return (
        f"wall time with {threads} BLAS threads: a refit {theirs:.1f} ms, the matrix {mine:.1f} ms"
    )


def all_refits(X: np.ndarray, labels: Labels, U: np.ndarray) -> np.ndarray:
    """Return the damage matrix computed by the peer."""
    every = np.arange(len(X))
    accuracies = []
    for u in [None, *U.T]:
        Z = X if u is None else X - np.outer(X @ u, u)
        scores = np.stack([refit(Z, labels.onehot, every != i, i) for i in range(len(X))])
        predicted = np.stack([scores[:, block].argmax(axis=1) for block in labels.blocks], axis=1)
        accuracies.append((predicted == labels.codes).mean(axis=0))
    return np.asarray(accuracies[0] - np.stack(accuracies[1:]))


def in_turns(
    X: np.ndarray,
    labels: Labels,
    U: np.ndarray,
    sample: int,
    clock: Callable[[], float] = time.process_time,
) -> tuple[float, float]:
    """Return the median seconds of one refit and of our damage matrix.

    The projections that all folds share are left out.
    """
    every = np.arange(len(X))
    Z = X - np.outer(X @ U[:, 0], U[:, 0])
    marks = []
    for i in np.linspace(0, len(X) - 1, sample).astype(int).tolist():
        start = clock()
        refit(Z, labels.onehot, every != i, i)
        middle = clock()
        damage_matrix(X, labels)
        marks.append((middle - start, clock() - middle))
    theirs, mine = np.median(marks, axis=0)
    return float(theirs), float(mine)


def interval_row() -> Row:
    """Compare EI and its bootstrap interval with the same draws refitted, copies of a probe
    left out together.
    """
    X, labels = planted(60, (3, 4, 4))

    def ours() -> None:
        """Compute EI and its interval."""
        diagnose(X, labels)
        bootstrap_interval(spectrum(X), labels, draws=DRAWS)

    fast = seconds(ours, 3)
    counts, _ = resamplings(labels, DRAWS, np.random.default_rng(0))
    folds = float((counts > 0).sum(axis=1).mean())
    times = []
    for drawn in counts[:8]:
        who = np.repeat(np.arange(len(X)), drawn)
        Z, Y = X[who], labels.onehot[who]
        for i in range(0, len(who), 8):
            start = time.process_time()
            refit(Z, Y, who != who[i], i)
            times.append(time.process_time() - start)
    fits = DRAWS * folds * (1 + labels.nominal_rank)
    slow = float(np.median(times)) * fits
    note = (
        f"{len(times)} of about {fits:.0f} refits timed, {slow:.0f} s extrapolated, against "
        f"{fast:.2f} s"
    )
    return row(
        f"EI with {DRAWS} bootstrap draws, n = 60, d = {WIDTH}, against refits",
        slow / fast,
        "×",
        1500,
        note=note,
    )


def specification_row() -> Row:
    """Time all readings of the definition, relative to one damage matrix."""
    X, labels = planted(60, (3, 4, 4))
    anchors = {"given": spectrum(X).trace / 2}

    count = len(specification_curve({"given": X}, labels, anchors))
    whole = seconds(lambda: specification_curve({"given": X}, labels, anchors), 5)
    name = f"specification curve ({count} readings), n = 60, d = {WIDTH}, in damage matrices"
    return row(
        name,
        whole / seconds(lambda: damage_matrix(X, labels)),
        "×",
        400,
        at_most=True,
        note=f"{1e3 * whole:.0f} ms",
    )


def growth_row() -> Row:
    """Measure the exponent of time in the width, with the Gram matrix given."""

    def beyond_gram(width: int) -> float:
        """Return the seconds of a diagnosis after its Gram matrix."""
        X, labels = planted(60, (3, 4, 4), width)
        centred_rows = centred(X)
        gram = centred_rows @ centred_rows.T
        return seconds(lambda: measured(centred_rows, gram, labels, 1.0))

    times = [beyond_gram(WIDTH), beyond_gram(8 * WIDTH)]
    exponent = np.log(times[1] / times[0]) / np.log(8)
    note = f"{1e3 * times[0]:.2f} ms at d = {WIDTH}, {1e3 * times[1]:.2f} ms at d = {8 * WIDTH}"
    return row(
        "growth in d, Gram matrix given: exponent", exponent, "", 1.0, at_most=True, note=note
    )


def memory_row() -> Row:
    """Measure the peak memory of a diagnosis beyond its input, relative to the input."""
    sizes = []
    for width in (WIDTH, 8 * WIDTH):
        X, labels = planted(60, (3, 4, 4), width)
        tracemalloc.start()
        diagnose(X, labels)
        sizes.append(tracemalloc.get_traced_memory()[1] / X.nbytes)
        tracemalloc.stop()
    note = f"{sizes[0]:.2f} at d = {WIDTH}: does not grow with d"
    return row(
        f"memory beyond the input at d = {8 * WIDTH}, in n·d floats",
        sizes[1],
        "× n·d",
        3,
        at_most=True,
        note=note,
    )


if __name__ == "__main__":
    for line in rows():
        print(line)
