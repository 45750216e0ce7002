"""A checkpoint is due at certain steps, its measurements are written, then its state."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from repro.diagnose.capture import Reading, capture
from repro.diagnose.diagnostics import measurements
from repro.evidence.measurement import Measurement
from repro.evidence.request import read_request
from repro.train.health import Divergence
from repro.train.loop import Step, Trainer
from repro.train.model import trainable
from repro.worker.checkpoint import checkpoint, checkpoints, measure
from repro.worker.load import Session, load
from tests.worker.conftest import Make


@pytest.fixture
def session(make: Make, cache: Path) -> Session:
    """A run of five steps: measured at 0, 3 and 5, with a state every second."""
    _, folder = make("B1")
    return load(read_request(folder.path), folder, cache)


@pytest.fixture
def trainer(session: Session) -> Trainer:
    """Its trainer, before the first step."""
    run = session.run
    return Trainer(session.model, run.training, run.steps, run.draw_seed, session.regularizer)


def geometry(rows: list[Measurement]) -> list[Measurement]:
    """The rows of activations."""
    return [row for row in rows if row.layer]


def test_checkpoints_are_due_where_it_is_measured_and_where_a_state_is_kept(
    session: Session, trainer: Trainer
) -> None:
    """Every step is in one of them."""
    since = [[step.step for step in steps] for steps in checkpoints(session, trainer)]
    assert since == [[1, 2], [3], [4], [5]]


def test_a_step_that_is_not_finite_is_a_checkpoint_at_once(
    session: Session, trainer: Trainer
) -> None:
    with torch.no_grad():
        next(iter(trainable(session.model).values())).fill_(math.nan)
    (step,) = next(checkpoints(session, trainer))
    assert (step.step, step.finite) == (1, False)


def test_a_checkpoint_writes_the_log_of_its_steps_and_a_state_to_go_on_from(
    session: Session, trainer: Trainer
) -> None:
    assert checkpoint(session, trainer, []) is None
    first, *_ = checkpoints(session, trainer)
    assert checkpoint(session, trainer, first) is None
    rows = session.folder.measurements(trainer.step)
    losses = [(row.step, row.value) for row in rows if row.quantity == "loss"]
    assert losses == [(step.step, step.loss) for step in first]
    assert int(load_file(session.folder.state)["step"]) == trainer.step
    assert int(load_file(session.folder.earlier_state)["step"]) == 0


def test_a_step_that_is_not_finite_is_written_and_leaves_no_state(
    session: Session, trainer: Trainer
) -> None:
    trainer.step = 4
    broken = Step(4, math.nan, 1.0, 0.1, 7, 1.0)
    diverged = checkpoint(session, trainer, [broken])
    assert isinstance(diverged, Divergence)
    assert diverged.bad == 3
    assert not session.folder.state.exists()
    (row,) = (row for row in session.folder.measurements(4) if row.quantity == "loss")
    assert (row.value, row.reason, row.n) == (None, "not finite (nan)", 7)


def test_step_0_is_the_anchor_of_what_is_measured_later(session: Session) -> None:
    """The activations are those that the model gives, and lie beside the rows."""
    rows, diverged = measure(session, 0)
    assert diverged is None
    session.folder.append(0, rows)
    reading, (probes,) = Reading(), session.probes
    X = capture(session.model, session.tokenizer, probes.texts(), [reading])[reading]
    wanted = session.run.diagnostics
    assert geometry(rows) == measurements(X, probes.labels(), 0, wanted, None)
    kept = load_file(session.folder.path / "activations" / "000000.safetensors")["activations"]
    assert np.array_equal(kept.numpy(), X)
    (anchor,) = (row.value for row in rows if row.quantity == "activation_trace")
    with torch.no_grad():
        session.model.get_input_embeddings().weight.mul_(1.5)  # type: ignore[operator]  # of transformers
    later, _ = measure(session, 3)
    X = capture(session.model, session.tokenizer, probes.texts(), [reading])[reading]
    assert geometry(later) == measurements(X, probes.labels(), 3, wanted, anchor)
    assert {"heldout_loss"} <= {row.quantity for row in later}
    counted = {row.quantity for row in rows} - {row.quantity for row in later}
    assert counted == {"trainable_parameters", "trainable_matrices"}


def test_activations_that_died_are_a_divergence_of_every_set(session: Session) -> None:
    rows, _ = measure(session, 0)
    session.folder.append(0, rows)
    with torch.no_grad():
        for name, value in session.model.named_parameters():
            if name.endswith("norm.weight"):
                value.mul_(1e-6)
    rows, diverged = measure(session, 3)
    assert diverged is not None
    assert diverged.bad == 1, "it was seen to be healthy at step 0 last"
    found = [row for row in rows if row.quantity == "entanglement_intensity"]
    assert found
    assert {row.reason for row in found} == {diverged.problem}
