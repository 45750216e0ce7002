"""Values that no claim speaks of are told, each where it first stands."""

import pytest

from repro.claims.papers import find_paper
from repro.errors import InputError
from repro.verify.assess import assess
from repro.verify.evidence.supplied import judged_on_values, supplied_evidence
from repro.verify.evidence.unmatched import named_levels, refuse_unmatched, unspoken
from repro.verify.evidence.values import SuppliedValue

CLAIMS = find_paper("laptop").claims
LEVELS = named_levels(CLAIMS)


def value(line: int = 2, **changes: object) -> SuppliedValue:
    fields = {
        "model": "smollm2-135m",
        "condition": "B3",
        "seed": 0,
        "step": 40,
        "quantity": "activation_rms",
        "value": 1.5,
        "place": f"v.csv: line {line}",
    }
    return SuppliedValue(**{**fields, **changes})  # type: ignore[arg-type]  # fields of a value


def refused(*values: SuppliedValue) -> str:
    freed = judged_on_values(CLAIMS, values)
    verdicts = assess(freed, None, everything=freed, supplied=supplied_evidence(values, freed))
    try:
        refuse_unmatched(verdicts, values, LEVELS, "laptop")
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "smolm2-135m"}, "model 'smolm2-135m': no claim of laptop speaks of it; nearest"),
        ({"quantity": "margin"}, "quantity 'margin'"),
        ({"condition": "B9"}, "condition 'B9'"),
        ({"concept": "colour"}, "concept 'colour'"),
    ],
)
def test_a_name_that_no_claim_has_is_told_once(changes: dict[str, object], words: str) -> None:
    values = [value(2), value(3, **changes), value(4, **changes)]
    [(_, told)] = unspoken(values, LEVELS, "laptop")
    assert told.startswith("v.csv: line 3: ")
    assert words in told
    assert words in refused(*values[1:])


def test_a_value_of_a_claims_cell_is_not_told() -> None:
    values = [value(), value(3, step=0)]
    assert not [*unspoken(values, LEVELS, "laptop")]
    assert not refused(*values)


def test_where_every_name_is_known_the_cell_is_told() -> None:
    told = refused(value(step=35))
    assert "v.csv: line 2: no claim of laptop speaks of this cell (model smollm2-135m" in told
    assert "step 0, 16, 24, 30, 40, 100" in told
