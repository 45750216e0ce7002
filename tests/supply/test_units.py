"""Percent for fractions, and fractions for percent, by prints, by bounds and by the other seeds."""

from collections.abc import Sequence

import pytest

from repro.claims.build import build_claims, inherit
from repro.claims.claim import Claim
from repro.claims.load import finish
from repro.errors import InputError
from repro.supply.units import doubtful_units, in_percent, refuse_units
from repro.verify.evidence.values import SuppliedValue

CELL = {"measured_by": "runs", "model": "m", "condition": "c", "step": 10}


def claims(printed: str, quantity: str = "score", **fields: object) -> list[Claim]:
    given = inherit({**CELL, "quantity": quantity}, {"printed": printed, **fields})
    return [
        finish(part, f"p/{number}", "p", "Table 1")
        for number, part in enumerate(build_claims(given, "p"))
    ]


def values(numbers: Sequence[float], quantity: str = "score") -> list[SuppliedValue]:
    return [
        SuppliedValue("m", "c", seed, 10, quantity, number, place=f"v.csv: line {seed + 2}")
        for seed, number in enumerate(numbers)
    ]


@pytest.mark.parametrize(
    ("printed", "sent"), [("0.641 ± 0.050", [64.1, 66, 60]), ("64.1 ± 5.0", [0.641, 0.66, 0.6])]
)
def test_a_quantity_in_other_units_than_its_print_is_refused_with_its_line(
    printed: str, sent: list[float]
) -> None:
    with pytest.raises(InputError, match=r"v.csv: line 2: column value: found .* percent"):
        refuse_units(values(sent), claims(printed))
    as_printed = [number / 100 if number > 1 else number * 100 for number in sent]
    refuse_units(values(as_printed), claims(printed))
    assert not [*doubtful_units(values(as_printed), claims(printed))]


def test_one_value_that_stands_out_is_told_since_it_may_be_a_finding() -> None:
    sent = values([0.64, 66.0, 0.65, 0.62])
    refuse_units(sent, claims("0.641 ± 0.050"))
    [told] = doubtful_units(sent, claims("0.641 ± 0.050"))
    assert told.startswith("v.csv: line 3: column value: found 66")
    [alone] = doubtful_units(values([0.64, 66.0, 0.65], "other"), claims("0.641 ± 0.050"))
    assert "the cell's other seeds have about 0.65" in alone


def test_a_refused_share_says_what_to_give() -> None:
    with pytest.raises(InputError, match=r"no percent; give every value in the unit of the paper"):
        refuse_units(values([91.67], "accuracy"), claims("0.92", "accuracy"))


def test_a_share_above_1_is_refused_unless_the_paper_prints_percent() -> None:
    with pytest.raises(InputError, match=r"line 2: column value: found 91.67, expected accuracy"):
        refuse_units(values([91.67], "accuracy"), claims("0.5"))
    percent = claims("91.7 ± 0.2", "accuracy", unit="percent")
    assert in_percent(percent) == {"accuracy"}
    refuse_units(values([91.67, 91.9], "accuracy"), percent)


def test_an_honest_contradiction_is_not_taken_for_other_units() -> None:
    refuse_units(values([0.1, 0.12, 0.0]), claims("0.641 ± 0.050"))
    assert not [*doubtful_units(values([0.1, 0.12, 0.0]), claims("0.641 ± 0.050"))]
