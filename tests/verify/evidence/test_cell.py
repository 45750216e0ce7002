"""Which part of a measurement a selector names, and when a name that is left out means several."""

import numpy as np
import pytest

from repro.claims.selector import Scalar
from repro.geometry.undefined import NotRun, Undefined
from repro.verify.evidence.cell import ambiguous, concept_of, differs_in, rows_of_family
from repro.verify.evidence.columns import MeasuredRow

ROW = MeasuredRow(np.array([0]), np.array([0.5]), None, 48)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"model": "m", "concept": "domain"}, "domain"),
        ({"class": "code"}, "code"),
        ({"companion": "math"}, "math"),
        ({"dataset": 3}, "3"),
        ({"concept": "domain", "class": "code"}, "domain"),
        ({"model": "m", "step": 0}, None),
        ({"module": "q_proj", "matrix": "update"}, "matrix=update,module=q_proj"),
        ({"matrix": "update", "concept": "domain"}, "matrix=update"),
    ],
)
def test_a_selector_names_a_concept_under_any_of_its_keys_and_a_part_by_all_of_them(
    selector: dict[str, Scalar], expected: str | None
) -> None:
    assert concept_of(selector) == expected


def test_a_part_differs_in_an_axis_where_it_has_a_level_of_it_and_is_the_selected_one_besides() -> (
    None
):
    part = "matrix=update,module=q_proj"
    assert differs_in("module", part, {"matrix": "update"})
    assert differs_in("matrix", part, {"module": "q_proj"})
    assert not differs_in("module", part, {"matrix": "attention"})
    assert not differs_in("module", part, {"matrix": "update", "scope": "block"})
    assert not differs_in("scope", part, {"matrix": "update", "module": "q_proj"})
    assert not differs_in("module", "domain", {})
    assert not differs_in("module", None, {})


def test_a_family_has_the_rows_of_every_run_and_step() -> None:
    family = {("m", "B3"): {0: ROW, 500: ROW}, ("m", "B2"): {0: ROW}, ("n", "B2"): {}}
    assert [*rows_of_family(family)] == [ROW] * 3


def places(*names: tuple[str, str]) -> list[tuple[str, str, int, MeasuredRow]]:
    """Rows of these models and conditions."""
    return [(model, condition, 5000, ROW) for model, condition in names]


def test_several_models_or_conditions_under_one_selector_are_ambiguous() -> None:
    two = places(("m", "B3"), ("n", "B3"))
    found = ambiguous("announced_only", two, {"condition": "B3", "step": 5000})
    assert found == Undefined("the claim names no model, and several were measured")
    two = places(("m", "B3"), ("m", "B2"))
    found = ambiguous("announced_only", two, {"model": "m", "step": 5000})
    assert found == Undefined("the claim names no condition, and several were measured")
    assert ambiguous("announced_only", two, {"model": "m", "step": 0}) is None, (
        "step 0 is the base model under any condition"
    )
    assert ambiguous("announced_only", two, {"model": "m", "condition": "B3", "step": 5000}) is None


def test_one_model_that_was_run_stands_for_no_other_that_is_planned() -> None:
    one = places(("qwen2.5-coder-7b", "B3"))
    found = ambiguous("scale_ladder", one, {"condition": "B3", "step": 5000})
    assert isinstance(found, NotRun)
    assert found.reason == "the claim names no model, and scale_ladder has several"
    assert ambiguous("announced_only", one, {"condition": "B3", "step": 5000}) is None
