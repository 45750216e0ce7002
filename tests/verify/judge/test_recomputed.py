"""A number recomputed from the authors' own seeds follows to its decimals, or it does not."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.build import build_claims, inherit
from repro.claims.claim import Claim
from repro.claims.context import with_context
from repro.claims.load import finish
from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import Context
from repro.verify.estimate.estimate import estimate
from repro.verify.evidence.supplied import supplied_evidence
from repro.verify.evidence.values import SuppliedValue
from repro.verify.judge.recomputed import recomputed

CELL = {"measured_by": "runs", "model": "m", "condition": "c", "step": 10, "quantity": "score"}


def claims(printed: str, seeds: int | None) -> list[Claim]:
    written = [{"printed": printed}]
    written += [{"printed": str(seeds), "statistic": "count"}] if seeds else []
    found = []
    for number, fields in enumerate(written):
        for part, parts in enumerate(build_claims(inherit(CELL, dict(fields)), "p")):
            found.append(finish(parts, f"p/c{number}~{part}", "p", "Table 1"))
    return with_context(found)


def outcome(printed: str, seeds: int | None, values: Sequence[float], place: int = 0) -> str:
    every = claims(printed, seeds)
    given_values = [
        SuppliedValue("m", "c", seed, 10, "score", value) for seed, value in enumerate(values)
    ]
    evidence = supplied_evidence(given_values, every)
    found = estimate(every[place], Context(evidence, prints_by_source(every)))
    judged = recomputed(every[place], found)
    return judged.outcome if judged else ""


SENT = [0.683, 0.712, 0.529]


def test_the_print_of_these_seeds_is_consistent_and_another_is_contradicted() -> None:
    assert outcome("0.641 ± 0.098", 3, SENT) == "consistent"
    assert outcome("0.600 ± 0.098", 3, SENT) == "contradicted"


@pytest.mark.parametrize(("seeds", "printed"), [(8, "0.600 ± 0.098"), (8, "0.641 ± 0.098")])
def test_other_numbers_of_seeds_are_left_to_the_usual_rule(seeds: int, printed: str) -> None:
    assert outcome(printed, seeds, SENT) == ""


def test_where_no_number_of_seeds_is_printed_nothing_is_contradicted() -> None:
    assert outcome("0.641 ± 0.098", None, SENT) == "consistent"
    assert outcome("0.600 ± 0.098", None, SENT) == ""


def test_an_sd_that_differs_may_have_been_computed_otherwise() -> None:
    assert outcome("0.641 ± 0.098", 3, SENT, place=1) == "consistent"
    assert outcome("0.641 ± 0.050", 3, SENT, place=1) == ""


@given(
    st.lists(st.floats(0.01, 0.99), min_size=2, max_size=9),
    st.integers(2, 4),
    st.integers(2, 4),
)
def test_no_honest_mean_is_contradicted_however_the_values_are_rounded(
    values: list[float], printed: int, sent: int
) -> None:
    text = f"{np.mean(values):.{printed}f} ± {np.std(values, ddof=1):.{printed}f}"
    rounded = [round(value, sent) for value in values]
    assert outcome(text, len(values), rounded) in ("consistent", "")


def test_whole_numbers_are_exact() -> None:
    assert outcome("62.5 ± 2.1", 2, [61, 64]) == "consistent"
    assert outcome("63.0 ± 2.1", 2, [61, 64]) == "contradicted"
