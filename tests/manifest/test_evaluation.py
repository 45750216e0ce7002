"""What is evaluated: the papers' greedy decoding by default, and no settings that contradict."""

import pytest
from pydantic import ValidationError

from repro.manifest.evaluation import Evaluation, Generation


def test_the_defaults_are_one_greedy_completion_of_768_tokens_after_training() -> None:
    asked = Evaluation(benchmarks=("humaneval",))
    assert asked.steps == ("last",)
    greedy = asked.generation
    assert (greedy.max_new_tokens, greedy.samples, greedy.temperature, greedy.top_p) == (
        768,
        1,
        0.0,
        1.0,
    )


def test_the_batch_alone_does_not_change_the_way_completions_are_made() -> None:
    fields = {"max_new_tokens": 9, "samples": 2, "temperature": 0.5, "top_p": 0.9, "seed": 3}
    made = Generation.model_validate({**fields, "batch": 7})
    assert made.way == fields
    assert made.way == Generation.model_validate(fields).way
    for name in fields:
        changed = made.model_copy(update={name: 1})
        assert changed.way != made.way


def test_several_greedy_completions_are_refused_as_all_the_same() -> None:
    assert Generation(samples=2, temperature=0.1).samples == 2
    assert Generation(samples=1, temperature=0).samples == 1
    with pytest.raises(ValidationError, match="samples above 1 need a temperature above 0"):
        Generation(samples=2, temperature=0)


@pytest.mark.parametrize(
    "fields",
    [{"max_new_tokens": 0}, {"top_p": 0}, {"top_p": 1.01}, {"temperature": -1}, {"seed": 2**63}],
)
def test_a_setting_out_of_its_range_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=r"should be (greater|less)"):
        Generation.model_validate(fields)


def test_an_evaluation_of_nothing_or_at_another_step_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        Evaluation(benchmarks=())
    with pytest.raises(ValidationError, match="'base' or 'last'"):
        Evaluation.model_validate({"benchmarks": ["dozen"], "steps": ["first"]})
