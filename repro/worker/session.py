"""Carry out one run from start to finish: load, train, measure, write evidence."""

import os
from pathlib import Path

import torch

from repro.evidence.folder import RunFolder
from repro.evidence.lock import exclusive
from repro.evidence.request import read_request
from repro.plan.environment import refuse_other_packages
from repro.train.adapters.keep import save_adapter
from repro.train.health import Divergence, last_healthy, read_state
from repro.train.loop import Trainer, keep_freed_memory
from repro.train.model import require_device
from repro.worker.checkpoint import checkpoint, checkpoints, measure
from repro.worker.load import Session, load

PATIENCE = 30.0  # seconds for a worker to end after its host has


def carry_out(path: Path, cache: Path) -> None:
    """Bring the run in `path` to its end. A finished run is left unchanged."""
    with exclusive(path, "worker", patience=PATIENCE):
        _carry_out(RunFolder(path), cache)


def _carry_out(folder: RunFolder, cache: Path) -> None:
    """Carry out the run, under its lock."""
    request = read_request(folder.path)
    if folder.done():
        return
    require_device(request.run.environment.device)
    refuse_other_packages(request.run.environment)
    folder.sweep()
    make_deterministic(request.run.threads)
    session = load(request, folder, cache)
    if session.run.steps:
        diverged = _train(session)
    else:  # A condition that trains nothing measures the base model once.
        rows, broken = measure(session, 0)
        session.folder.append(0, rows)
        diverged = broken.problem if broken else None
    session.usage.write()
    folder.finish("diverged" if diverged else "done", diverged)
    for state in (*folder.states, folder.walk):
        state.unlink(missing_ok=True)
    session.progress.show("diverged" if diverged else "done", force=True)


def _train(session: Session) -> str | None:
    """Train to the last step, or until something is not finite.

    Return the reason then; else None.
    """
    run = session.run
    keep_freed_memory()
    trainer = Trainer(session.model, run.training, run.steps, run.draw_seed, session.regularizer)
    if session.folder.state.exists():
        trainer.restore(read_state(session.folder.state))
        diverged = None
    else:
        diverged = checkpoint(session, trainer, [])
    for steps in checkpoints(session, trainer) if not diverged else ():
        diverged = checkpoint(session, trainer, steps)
        if diverged:
            break
    kept = _go_back(session, trainer, diverged) if diverged else ""
    save_adapter(session.model, session.folder.path / "adapter", run.model)
    return f"{diverged.problem}; {kept}" if diverged else None


def _go_back(session: Session, trainer: Trainer, divergence: Divergence) -> str:
    """Give the model its last healthy weights. Return in words which were kept."""
    healthy = last_healthy(session.folder, divergence)
    if healthy is None:
        return "no healthy adapter is left; the one kept is not"
    trainer.restore(healthy)
    return f"the adapter kept is that of step {trainer.step}"


def make_deterministic(threads: int) -> None:
    """Make torch's results independent of timing: a fixed number of threads, deterministic
    algorithms.
    """
    torch.set_num_threads(threads)
    # Set before cuBLAS starts: without it results vary between runs.
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.use_deterministic_algorithms(True)
    # Filling every new tensor finds reads of memory nobody wrote; it changes no number and
    # takes a seventh of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch sets it at run time
