"""Find the printed pairs of the readout's σ_1 and EI, to lay over a scale sweep.

Definition: docs/SCIENCE.md §5. Only the papers that come with the project are read: an activation
matrix has nothing to do with a user's own. A pair is one run at one step for which the papers print
both. A zero need not be printed as a number: from a run's collapse step on its EI is 0 (§11).
"""

from collections.abc import Iterator

from repro.claims.claim import Claim
from repro.claims.papers import own_papers
from repro.claims.term import Term
from repro.geometry.sweep import PublishedPair


def published_pairs() -> Iterator[PublishedPair]:
    """Yield the pairs of the project's papers, in the order in which singular values appear."""
    claims = (claim for paper in own_papers() for claim in paper.claims)
    printed = [claim for claim in claims if claim.is_number and claim.statistic == "single"]
    known: dict[str, Claim] = {}
    for claim in printed:
        known.setdefault(claim.term.key, claim)
    for claim in printed:
        step = claim.selector.get("step")
        if (
            claim.quantity != "singular_value"
            or claim.selector.get("direction") != 0
            or not isinstance(step, int)
        ):
            continue
        run = {
            key: value for key, value in claim.selector.items() if key not in ("direction", "step")
        }
        label = f"{run.get('model')} seed {run.get('seed')} step {step}"
        where = f"{claim.source}, {claim.locator}"
        intensity = known.get(
            Term(quantity="entanglement_intensity", selector={**run, "step": step}).key
        )
        collapse = known.get(Term(quantity="collapse_step", selector=run).key)
        if intensity:
            yield PublishedPair(
                label,
                claim.number,
                intensity.number,
                f"{where}; {intensity.source}, {intensity.locator}",
            )
        elif collapse and step >= collapse.number:
            yield PublishedPair(
                label,
                claim.number,
                0.0,
                f"{where}; {collapse.locator}: EI = 0 from {collapse.number:g} on",
            )
