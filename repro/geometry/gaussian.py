"""Profiles of Gaussian matrices and their products: what an entanglement profile is untrained.

Source: artificial entanglement paper, its random matrix theory (docs/SCIENCE.md §12). Draws depend
on the shape alone.
"""

from functools import cache

import numpy as np

from repro.geometry.entropy import product_profile, profile
from repro.geometry.undefined import Array

DRAWS = 3
"""Random matrices behind a baseline: at these sizes profiles differ by less than 0.01 nats."""


@cache
def gaussian_profile(p: int, q: int) -> Array:
    """Return the mean profile of Gaussian matrices p × q, in nats."""
    random = np.random.default_rng([p, q])
    mean: Array = np.mean([profile(random.normal(size=(p, q))) for _ in range(DRAWS)], axis=0)
    return mean


@cache
def gaussian_product_profile(p: int, q: int, r: int) -> Array:
    """Return the mean profile of products of Gaussian factors, p × r and r × q, in nats."""
    random = np.random.default_rng([p, q, r])
    draws = ((random.normal(size=(p, r)), random.normal(size=(r, q))) for _ in range(DRAWS))
    mean: Array = np.mean([product_profile(B, A) for B, A in draws], axis=0)
    return mean
