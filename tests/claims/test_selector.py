"""Which cell a selector means: the base model's, or that of a run; whatever its seed."""

import pytest

from repro.claims.selector import Scalar, at_start, cell_key, is_untrained, normal_selector

EI = "entanglement_intensity"


@pytest.mark.parametrize(
    ("selector", "untrained"),
    [
        ({"step": 0, "condition": "B3"}, True),
        ({"condition": "B0"}, True),
        ({"condition": "B0", "step": 5000}, True),
        ({"condition": "B3", "step": 5000}, False),
        ({}, False),
    ],
)
def test_step_0_and_the_condition_that_trains_nothing_are_the_base_model(
    selector: dict[str, Scalar], untrained: bool
) -> None:
    assert is_untrained(selector) == untrained


def test_one_base_model_has_one_key_under_whatever_condition_and_seed() -> None:
    base = cell_key(EI, {"model": "m", "condition": "B0", "step": 5000})
    assert cell_key(EI, {"model": "m", "condition": "B3", "step": 0, "seed": 1}) == base
    assert cell_key(EI, {"model": "m", "condition": "B3", "step": 5000}) != base


def test_at_step_0_nothing_is_said_of_a_training_that_has_not_begun() -> None:
    trained: dict[str, Scalar] = {
        "model": "m",
        "condition": "B4",
        "lambda": 0.3,
        "intervention": "late",
        "step": 500,
    }
    assert normal_selector(trained) == trained
    assert normal_selector({**trained, "step": 0}) == {"model": "m", "step": 0}
    assert at_start(trained) == {"model": "m", "step": 0}


def test_the_seed_is_no_part_of_a_cells_key_and_everything_else_is() -> None:
    cell: dict[str, Scalar] = {"model": "m", "condition": "B3", "step": 500, "seed": 1}
    assert cell_key(EI, cell) == cell_key(EI, {**cell, "seed": 2})
    changed = [{**cell, key: "other"} for key in ("model", "condition", "step")]
    assert len({cell_key(EI, one) for one in (cell, *changed)}) == 4
    assert cell_key("margin", cell) != cell_key(EI, cell)
