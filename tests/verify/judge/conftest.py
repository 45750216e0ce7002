"""From a store made by hand to verdicts: claims about the entanglement intensity after training, on
known runs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from repro.claims.claim import Claim
from repro.verify.assess import assess
from repro.verify.verdict import Verdict


@pytest.fixture
def judged(store: Any, claims_of: Callable[..., list[Claim]]) -> Callable[..., list[Verdict]]:
    """Verdicts on claims, given the EI after training of each run (and before, 0.9)."""

    def run(
        *written: dict[str, object],
        after: Sequence[float],
        quantity: str = "entanglement_intensity",
        **shared: object,
    ) -> list[Verdict]:
        claims = claims_of(*written, **shared)
        for seed, value in enumerate(after):
            values = {(quantity, 0): 0.9, (quantity, 5000): value}
            store.run(seed=seed, values=values, claims={claim.id: claim.digest for claim in claims})
        return assess(claims, store.connection)

    return run


@pytest.fixture(scope="session")
def outcome() -> Callable[..., str]:
    """The outcome of the claim whose name ends so; of the first one, unless told."""

    def of(verdicts: Sequence[Verdict], end: str = "c0") -> str:
        return next(verdict.outcome for verdict in verdicts if verdict.id.endswith(end))

    return of
