"""Processor time grows with what is asked for, part by part."""

import pytest

from repro.manifest.load import load_experiment
from repro.manifest.training import Csr, Penalty
from repro.plan.expand import expand, local_environment
from repro.plan.processor import cpu_hours, processor_seconds
from repro.plan.run import Run

SPEED = 1e11


@pytest.fixture(scope="module")
def run() -> Run:
    return expand(load_experiment("laptop"), local_environment())[0]


def with_training(run: Run, **update: object) -> Run:
    return run.model_copy(update={"training": run.training.model_copy(update=update)})


def test_each_part_follows_what_causes_it(run: Run) -> None:
    """Twice the machine halves products alone; nothing is regularised without a penalty."""
    given, faster = processor_seconds(run, SPEED, 64), processor_seconds(run, 2 * SPEED, 64)
    assert given.regularising == 0
    assert given.total > given.training > 0
    assert faster.loading == given.loading
    assert given.training / 2 < faster.training < given.training
    longer = run.model_copy(update={"condition": run.condition.model_copy(update={"phases": run.condition.phases * 2})})
    assert processor_seconds(longer, SPEED, 64).training == pytest.approx(2 * given.training)


def test_texts_count_up_to_where_they_are_cut(run: Run) -> None:
    """At 64 tokens at most it does not matter how long texts are."""
    assert processor_seconds(run, SPEED, 64) == processor_seconds(run, SPEED, 700)
    uncut = with_training(run, max_length=2048)
    assert processor_seconds(uncut, SPEED, 700).training > processor_seconds(uncut, SPEED, 250).training
    assert (
        cpu_hours(uncut, SPEED).high / cpu_hours(uncut, SPEED).low
        > cpu_hours(run, SPEED).high / cpu_hours(run, SPEED).low
    )


def test_savings_of_memory_cost_time(run: Run) -> None:
    given = processor_seconds(run, SPEED, 64).training
    assert processor_seconds(with_training(run, gradient_checkpointing=True), SPEED, 64).training > given
    assert processor_seconds(with_training(run, tokens_per_forward=64), SPEED, 64).training > given
    assert processor_seconds(with_training(run, compute="float32"), SPEED, 64).training > given


def test_an_attached_penalty_costs_more_than_a_detached_one(run: Run) -> None:
    def seconds(given: Run, gradient: str) -> float:
        penalty = Penalty.model_validate({"strength": 0.1, "gradient": gradient})
        return processor_seconds(
            given.model_copy(update={"condition": run.condition.model_copy(update={"csr": penalty})}), SPEED, 64
        ).regularising

    often = run.model_copy(update={"training": run.training.model_copy(update={"csr": Csr(every=2)})})
    assert 0 < seconds(often, "detached") < seconds(often, "attached")
    assert seconds(run, "attached") < seconds(often, "attached"), "it is added at every so-many-th step"
