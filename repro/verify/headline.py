"""State what planned seeds could decide about a paper's headline claims.

The claims are judged on the paper's own numbers as if they were ours. Each cell of a claim gets as
many runs as are planned for it, with the printed mean and standard deviation. What the judge could
then have told (`repro.verify.judge.could_tell`), the plan can say in advance.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from repro.claims.algebra.evaluate import at
from repro.claims.claim import Claim, Term
from repro.claims.prints import Prints
from repro.claims.selector import BASE
from repro.geometry.undefined import Array
from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import PROPORTIONS, Context
from repro.verify.estimate.estimate import estimate
from repro.verify.evidence.cell import CONCEPT_KEYS
from repro.verify.evidence.columns import NO_SEED, MeasuredRow
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.trained import name_condition
from repro.verify.judge.could_tell import could_tell
from repro.verify.statistics import POWER
from repro.verify.verdict import Graded

_Seeds = Mapping[tuple[str, str], int]
"""(model, condition) → number of planned seeds."""
_PROBES = 48
"""Assumed number of probes behind a share, since the plan does not know it yet."""
_OWN = Graded(grade="own")


def headline_notes(name: str, seeds: _Seeds, claims: Sequence[Claim]) -> Iterator[str]:
    """Yield whether the seeds can decide the headline claims that the manifest measures.

    Claims of which the same is said share a line.
    """
    prints = prints_by_source(claims)
    said: dict[str, list[str]] = {}
    for claim in claims:
        if claim.headline and claim.measured_by == name:
            said.setdefault(planned_power(claim, seeds, prints), []).append(claim.id)
    for words, ids in said.items():
        yield f"headline {', '.join(ids)}: {words}"


def planned_power(claim: Claim, seeds: _Seeds, prints: Mapping[str, Prints]) -> str:
    """Return in words whether the planned seeds can decide a claim."""
    evidence = Evidence()
    for cell in _cells(claim.term):
        if why_not := _add_printed(evidence, claim, cell, seeds, prints[claim.source]):
            return f"its power cannot be planned: {why_not}"
    told = could_tell(claim, estimate(claim, Context(evidence, prints)))
    if not told:
        return (
            "its power cannot be planned: the paper prints neither the effect nor the spread of "
            "all its cells"
        )
    opposite = "reversed" if "contradicted_if_reversed" in told else "absent"
    true, absent = told["reproduced_if_true"], told[f"contradicted_if_{opposite}"]
    rates = f"reproduced in {true:.0%} if true, contradicted in {absent:.0%} if {opposite}"
    if min(true, absent) >= POWER:
        return f"these seeds can decide it ({rates})"
    if not true and absent >= POWER:
        return f"these seeds could contradict it, and are at best consistent with it ({rates})"
    needed = told["runs_a_side"]
    return f"these seeds cannot decide it ({rates}); " + (
        f"{needed} a side would" if needed else "no number would"
    )


def _cells(term: Term) -> Iterator[Term]:
    """Yield every single cell below a term, at each level the term names."""
    if term.over not in (None, "seed") and term.among:
        for level in term.among:
            for inner in term.operands:
                yield from _cells(at(inner, str(term.over), level))
        return
    yield from term.leaves()


def _add_printed(
    evidence: Evidence, claim: Claim, cell: Term, seeds: _Seeds, prints: Prints
) -> str:
    """Add a cell with its printed numbers to the evidence.

    Returns why that is not possible where no run is planned or no number printed; else an empty
    string.
    """
    selector = name_condition(claim.measured_by or "", cell.selector)
    if selector.get("model") is None:
        return "it names no one model and condition"
    step, model = selector.get("step"), str(selector.get("model"))
    # Step 0 is the base model: one run measures it, whatever the number of seeds.
    condition = BASE if step == 0 else str(selector.get("condition"))
    count = 1 if condition == BASE else seeds.get((model, condition), 0)
    if not count:
        return f"no run of {model} under {condition} is planned"
    if not isinstance(step, int):
        return f"{cell.quantity} is claimed of no one step"
    mean, spread = (
        prints.value(cell.quantity, cell.selector),
        prints.spread(cell.quantity, cell.selector),
    )
    if mean is None:
        return f"{cell.quantity} of {model} under {condition} at step {step} is not printed"
    if spread is None and count > 1:
        return f"no spread of {cell.quantity} of {model} under {condition} is printed"
    values = spread_out(mean, spread[0] if spread and count > 1 else 0.0, count)
    names = np.array([NO_SEED] if step == 0 else range(count), dtype=np.int64)
    row = MeasuredRow(names, values, None, _PROBES if cell.quantity in PROPORTIONS else 0, _OWN)
    part = next((str(selector[key]) for key in CONCEPT_KEYS if key in selector), None)
    direction = selector.get("direction")
    place = claim.measured_by or "", cell.quantity, "default"
    family = evidence.rows[place][part, None if direction is None else int(direction), None]
    family.setdefault((model, condition), {})[step] = row
    return ""


def spread_out(mean: float, sd: float, count: int) -> Array:
    """Return `count` evenly spaced numbers with exactly this mean and standard deviation."""
    if count < 2:
        return np.full(count, mean)
    places = np.arange(count) - (count - 1) / 2
    return np.asarray(mean + sd * places / places.std(ddof=1))


def seeds_of(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Count the runs of each (model, condition)."""
    found: dict[tuple[str, str], int] = {}
    for place in places:
        found[place] = found.get(place, 0) + 1
    return found
