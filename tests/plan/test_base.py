"""Whatever can move a number of a base model is in what it is called; what cannot is not."""

import pytest

from repro.manifest.load import load_experiment, load_models
from repro.plan.base import base_of_run, surroundings
from repro.plan.expand import expand, local_environment
from repro.plan.run import Parent, Run


@pytest.fixture(scope="module")
def run() -> Run:
    """A trained run of smoke."""
    return next(run for run in expand(load_experiment("smoke"), local_environment()) if run.steps)


def inside(run: Run, part: str, **fields: object) -> Run:
    return run.model_copy(update={part: getattr(run, part).model_copy(update=fields)})


def test_what_can_move_a_number_of_step_0_gives_another_base(run: Run) -> None:
    quantisation = run.training.quantisation
    weights = run.model.weights.model_copy(update={"seed": 99})
    others = [
        run.model_copy(update={"model": load_models()["tiny-llama"]}),
        inside(run, "model", weights=weights),
        inside(run, "training", quantisation=quantisation.model_copy(update={"double": not quantisation.double})),
        inside(run, "training", quantisation=quantisation.model_copy(update={"format": "none"})),
        inside(run, "training", compute="bfloat16"),
        *(inside(run, "diagnostics", **{name: value}) for name, value in
          {"layer": "pre_norm", "pooling": "last_token", "special_tokens": "include", "scale": "unit_rms"}.items()),
        run.model_copy(update={"threads": 2}),
        inside(run, "environment", device="cuda"),
    ]  # fmt: skip
    called = [base_of_run(other) for other in (run, *others)]
    assert len(set(called)) == len(called)
    assert base_of_run(run.model_copy(update={"parent": Parent(id="a" * 64, slot="s")})) is None


def test_other_surroundings_are_told_apart(run: Run) -> None:
    environment = run.environment
    edition = environment.edition.model_copy(update={"code": environment.edition.code + 1})
    others = [
        {"edition": edition},
        {"other_packages": {"peft": "0.1"}},
        {"machine": "other avx2"},
        {"texts": "9.9"},
    ]
    called = [
        surroundings(environment),
        *(surroundings(environment.model_copy(update=one)) for one in others),
    ]
    assert len(set(called)) == len(called)
    same = environment.model_copy(update={"image": "a" * 64, "lock": "another", "python": "3.13.1"})
    assert surroundings(same) == called[0]


def test_what_only_training_reads_is_in_no_base_of_a_processor_and_kernels_are_in_a_gpus(
    run: Run,
) -> None:
    """Nobody has compared the bits of a GPU's kernels: there a run lends to those alone that
    compute alike.
    """
    changes = {"dequantise": "each_time", "batch_size": 3, "max_length": 99, "heldout": 0}
    assert base_of_run(inside(run, "training", **changes)) == base_of_run(run)
    assert base_of_run(run.model_copy(update={"seed": 5})) == base_of_run(run)
    card = inside(run, "environment", device="cuda")
    assert base_of_run(inside(card, "training", batch_size=3)) == base_of_run(card)
    assert base_of_run(inside(card, "training", dequantise="each_time")) != base_of_run(card)
    untrained = card.model_copy(
        update={"condition": card.condition.model_copy(update={"phases": ()})}
    )
    assert base_of_run(untrained) != base_of_run(card)
