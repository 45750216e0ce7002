"""Random designs and the brute-force oracle, for every test of the geometry."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="session")
def brute(helper: Callable[[str], ModuleType]) -> ModuleType:
    """The slow definitions in brute_force.py."""
    return helper("geometry/brute_force.py")


@pytest.fixture(scope="session")
def design():
    """A maker of labelled activations: (X, columns) from a seed and a shape, every class at least
    twice.
    """

    def make(
        seed, n=18, d=8, cardinalities=(3, 2), scale=1.0, offset=0.0, dtype=np.float64, signal=1.0
    ):
        rng = np.random.default_rng(seed)
        X, columns = rng.normal(size=(n, d)), {}
        for j, m in enumerate(cardinalities):
            uneven = rng.choice(m, size=n - 2 * m, p=rng.dirichlet(np.full(m, 3.0)))
            codes = rng.permutation(np.concatenate([np.repeat(np.arange(m), 2), uneven]))
            X += signal * rng.normal(size=(m, d))[codes]
            columns[f"concept{j}"] = [f"class{c}" for c in codes]
        return (scale * X + offset * (1 + rng.random(d))).astype(dtype), columns

    return make
