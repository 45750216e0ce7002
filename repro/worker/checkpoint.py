"""Measure a checkpoint, write its evidence, save the state to resume from.

Order: measurements first, then the state. A crash between the two repeats the measurements and
replaces them with the same bits.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save as save_tensors

from repro.diagnose.attention import attention_rows
from repro.diagnose.capture import Reading, capture
from repro.diagnose.diagnostics import anchor_of, invalid, measurements, rms_of
from repro.diagnose.updates import update_rows
from repro.evidence.measurement import Measurement, measured
from repro.files import write_bytes
from repro.manifest.probes import ProbeSet
from repro.train.adapters.place import trained_rows
from repro.train.health import Divergence, check_activations, check_parameters, save_state
from repro.train.heldout import heldout_losses
from repro.train.loop import KeptMemory, Step, Trainer
from repro.train.model import trainable
from repro.worker.load import Session


def checkpoints(session: Session, trainer: Trainer) -> Iterator[list[Step]]:
    """Train, and yield the steps since the last checkpoint when one is due or a step is not
    finite.
    """
    due = {
        *session.run.measured_steps(),
        *range(0, session.run.steps, session.run.training.checkpoint_every),
    }
    since: list[Step] = []
    memory = KeptMemory()
    for step in trainer.run(session.steps):
        memory.after_step()
        since.append(step)
        session.progress.step(step)
        if step.step in due or not step.finite:
            yield since
            since = []


def checkpoint(session: Session, trainer: Trainer, steps: Sequence[Step]) -> Divergence | None:
    """Measure if due, write the evidence, save the state.

    Return the divergence if training has diverged.
    """
    session.usage.trained(steps)
    probes = session.regularizer.probes if session.regularizer else 0
    rows = [row for step in steps for row in _log(step, probes)]
    broken = next((step for step in steps if not step.finite), None)
    diverged = (
        Divergence(broken.step - 1, broken.problem)
        if broken
        else check_parameters(session.model, trainer.step)
    )
    if trainer.step in session.run.measured_steps() and not diverged:
        measured_rows, diverged = measure(session, trainer.step)
        rows += measured_rows
    session.folder.append(trainer.step, rows)
    if not diverged:
        save_state(
            session.folder, trainer.state(), measured=trainer.step in session.run.measured_steps()
        )
    session.usage.write()
    return diverged


def measure(session: Session, step: int) -> tuple[list[Measurement], Divergence | None]:
    """Return the measurements of a checkpoint, anchored to the base model's, and the divergence
    of its activations.
    """
    session.progress.show("measuring", force=True)
    rows = [] if step else list(trained_rows(session.model))
    base = session.folder.start if session.run.parent else session.folder if step else None
    before = base.measurements(0) if base else []
    diverged = None
    for probes in session.probes:
        X = _activations(session, probes, step)
        named = None if probes.id == session.run.probe_set else probes.id
        found = measurements(
            X, probes.labels(), step, session.run.diagnostics, anchor_of(before, named), named
        )
        healthy = max((at for at in session.run.measured_steps() if at < step), default=-1)
        # The recorded RMS is then 1, whatever the model's is.
        scaled = session.run.diagnostics.scale != "none"
        broken = check_activations(X, None if scaled else rms_of(before, named), step, healthy)
        rows += invalid(found, broken.problem) if broken else found
        diverged = diverged or broken
    rows += heldout_losses(session.model, session.heldout, session.run.training, step)
    rows += _entropies(session, step)
    session.progress.measured(rows)
    return rows, diverged


def _entropies(session: Session, step: int) -> Iterator[Measurement]:
    """Entropies of updates and of attention, where the manifest asks."""
    wanted = session.run.diagnostics
    if "update_entropy" in wanted.also:
        if session.run.seed is not None:
            trained = sum(value.numel() for value in trainable(session.model).values())
            share = trained / session.run.model.architecture.parameters
            yield measured(share, quantity="trainable_share", step=step, n=1)
        yield from update_rows(session.model, session.untrained, step)
    if "attention_entropy" in wanted.also:
        yield from attention_rows(session.model, session.windows, wanted.attention.lengths, step)


def _activations(session: Session, probes: ProbeSet, step: int) -> npt.NDArray[np.float32]:
    """Return the activations (N × H) of a checkpoint on one probe set, and keep them as
    evidence.
    """
    reading = Reading.of(session.run.diagnostics)
    X = capture(session.model, session.tokenizer, probes.texts(), [reading])[reading]
    name = (
        f"{step:06d}.safetensors"
        if probes.id == session.run.probe_set
        else f"{step:06d}.{probes.id}.safetensors"
    )
    write_bytes(
        session.folder.path / "activations" / name,
        save_tensors({"activations": torch.from_numpy(X)}),
    )
    return X


def _log(step: Step, probes: int) -> Iterator[Measurement]:
    """Yield what training reports about a step. `probes`: number behind CSR's penalty."""
    for quantity, value in (
        ("loss", step.loss),
        ("gradient_norm", step.gradient_norm),
        ("learning_rate", step.learning_rate),
    ):
        yield measured(value, quantity=quantity, step=step.step, n=step.tokens)
    if step.csr_loss is not None:
        yield measured(step.csr_loss, quantity="csr_loss", step=step.step, n=probes)
