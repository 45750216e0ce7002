"""The entanglement profile of a matrix or an update, beside that of random ones of its shape.

Definition: docs/SCIENCE.md §12. A valley that random factors have too was not made by training:
every profile stands beside a Gaussian baseline.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from repro.errors import InputError
from repro.geometry.entropy import (
    factors,
    most,
    product_profile,
    profile,
    valley_depth,
    volume_law_slope,
)
from repro.geometry.gaussian import DRAWS, gaussian_product_profile, gaussian_profile
from repro.geometry.undefined import Array, Undefined
from repro.measure.updates import Update


@dataclass(frozen=True)
class Profile:
    """One matrix p × q, cut by cut."""

    name: str
    p: int
    q: int
    rank: int
    entropy: Array
    """One a cut, in nats."""
    baseline: Array
    """Mean over random matrices: Gaussian, or below full rank Gaussian B·A of that rank."""
    bound: Array
    """The largest that the shape and rank allow."""

    @property
    def sites(self) -> tuple[int, ...]:
        """Return the dimensions of the sites: prime factors of the rows, then of the columns."""
        return factors(self.p) + factors(self.q)


def of_matrix(M: Array, name: str) -> Profile:
    """Return the profile of a whole matrix (p × q). Raises InputError where it has none."""
    p, q = M.shape
    entropy = profile(M)  # refuses what has none
    rank = int(np.linalg.matrix_rank(M))
    low = rank < min(p, q)
    random = gaussian_product_profile(p, q, rank) if low else gaussian_profile(p, q)
    return Profile(name, p, q, rank, entropy, random, most(p, q, rank if low else None))


def of_update(update: Update) -> Profile | Undefined:
    """Return the profile of B·A; undefined where the product is zero or has no cut."""
    p, r, q = *update.B.shape, update.A.shape[1]
    if not update.B.any() or not update.A.any():
        return Undefined("the update is zero, as before training")
    try:
        entropy = product_profile(update.B, update.A)
    except (
        InputError
    ) as error:  # the product is zero, or its sides have no cut: the other layers still have theirs
        return Undefined(str(error))
    return Profile(update.layer, p, q, r, entropy, gaussian_product_profile(p, q, r), most(p, q, r))


def record(found: Profile) -> dict[str, Any]:
    """Return a profile as JSON has it: one entropy a cut, in nats.

    What does not exist is null and has its reason.
    """
    undefined: dict[str, str] = {}

    def value(name: str, number: float | Undefined) -> float | None:
        if isinstance(number, Undefined):
            undefined[name] = number.reason
            return None
        return number

    def shape(entropy: Array, at: str) -> dict[str, Any]:
        return {
            "entropy": [float(one) for one in entropy],
            "valley_depth": value(f"{at}valley_depth", valley_depth(entropy, found.p)),
            "volume_law_slope": value(f"{at}volume_law_slope", volume_law_slope(entropy, found.p)),
        }

    return {
        "name": found.name, "shape": [found.p, found.q], "rank": found.rank, "unit": "nat",
        "sites": list(found.sites), "row_sites": len(factors(found.p)),
        **shape(found.entropy, ""),
        "baseline": {"kind": "gaussian", "draws": DRAWS, **shape(found.baseline, "baseline.")},
        "bound": [float(one) for one in found.bound],
        "undefined": undefined,
    }  # fmt: skip
