"""Compare entanglement profiles with quimb's matrix product states, by CPU time.

Both sides have one BLAS thread and begin with the factors B and A, or with the full matrix; quimb's
way is its own `MatrixProductState.from_dense`, then `entropy` at every cut. Values are compared in
the same run.
"""

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from quimb.tensor import MatrixProductState

from bench.table import Row, row
from repro.geometry.entropy import factors, product_profile, profile

RANK = 64


def rows() -> list[Row]:
    """Return the rows of the speed table about entropies."""
    return [update_row(2048), large_row(), dense_row(), model_row(), *growth_rows()]


def drawn(p: int, q: int, rank: int = RANK) -> tuple[np.ndarray, np.ndarray]:
    """Draw Gaussian factors B and A."""
    random = np.random.default_rng([p, q, rank])
    return random.normal(size=(p, rank)), random.normal(size=(rank, q))


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Call once and return (CPU seconds, result)."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def peers(M: np.ndarray) -> np.ndarray:
    """Return the entropies in nats by quimb, at every cut."""
    state = MatrixProductState.from_dense(
        (M / np.linalg.norm(M)).reshape(-1), dims=factors(M.shape[0]) + factors(M.shape[1])
    )
    return np.array([float(state.entropy(cut)) * np.log(2) for cut in range(1, state.L)])


def update_row(side: int) -> Row:
    """Compare an update B·A of rank 64. quimb has to form the product."""
    B, A = drawn(side, side)
    product_profile(*drawn(64, 64, 4))
    ours, found = timed(lambda: product_profile(B, A))
    theirs, expected = timed(lambda: peers(B @ A))
    note = (
        f"{theirs:.1f} s against {1e3 * ours:.0f} ms; largest difference "
        f"{np.abs(found - expected).max():.0e} nats"
    )
    return row(
        f"entropies of {side} × {side}, rank {RANK}, all cuts, against quimb",
        theirs / ours,
        "×",
        100,
        note=note,
    )


def large_row() -> Row:
    """Measure a layer of an 8B model: time, with memory in the note."""
    B, A = drawn(4096, 4096)
    spent, _ = timed(lambda: product_profile(B, A))
    tracemalloc.start()
    product_profile(B, A)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    note = f"{peak / 1e6:.0f} MB at most beside B and A (bar 200)"
    return row(f"entropies of 4096 × 4096, rank {RANK}", spent, "s", 1.0, at_most=True, note=note)


def dense_row() -> Row:
    """Compare a full matrix, such as an update by full fine-tuning."""
    M = np.random.default_rng(0).normal(size=(1024, 1024))
    ours, found = timed(lambda: profile(M))
    theirs, expected = timed(lambda: peers(M))
    note = (
        f"{theirs:.1f} s against {ours:.2f} s; largest difference "
        f"{np.abs(found - expected).max():.0e} nats"
    )
    return row(
        "entropies of a full 1024 × 1024, all cuts, against quimb", theirs / ours, "×", 3, note=note
    )


def model_row() -> Row:
    """Measure all 64 updates of q_proj and v_proj in an 8B model, with one call per shape."""
    random = np.random.default_rng(0)
    A = random.normal(size=(32, RANK, 4096))
    stacks = [(random.normal(size=(32, p, RANK)), A) for p in (4096, 1024)]
    tracemalloc.start()
    spent, _ = timed(lambda: np.concatenate([product_profile(B, A).ravel() for B, A in stacks]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    note = (
        f"32 of 4096 × 4096 and 32 of 1024 × 4096; {peak / 1e9:.2f} GB at most beside the "
        "factors; stated, no bar"
    )
    return row(
        f"entropies of the 64 updates of an 8B model, rank {RANK}",
        spent,
        "s",
        120,
        at_most=True,
        note=note,
    )


def growth_rows() -> list[Row]:
    """Measure how time grows with the side and with the rank, as exponents over two doublings."""
    sides = [spent_on(1024, 64), spent_on(4096, 64)]
    ranks = [spent_on(2048, 32), spent_on(2048, 128)]
    return [
        row("growth of entropies with the side, exponent", _exponent(sides), "", 2, at_most=True),
        row("growth of entropies with the rank, exponent", _exponent(ranks), "", 2, at_most=True),
    ]


def spent_on(side: int, rank: int) -> float:
    """Return the CPU seconds of one profile."""
    B, A = drawn(side, side, rank)
    return timed(lambda: product_profile(B, A))[0]


def _exponent(seconds: list[float]) -> float:
    """Return the exponent of growth between a size and four times that size."""
    return float(np.log(seconds[1] / seconds[0]) / np.log(4))
