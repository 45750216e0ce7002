"""One run from start to finish: load, train, measure at each checkpoint, leave evidence.

Order at a checkpoint: measurements first, then the state to go on from. A crash between the two repeats the
measurements and replaces them with the same bits.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache as cached
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save as save_tensors
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from repro.diagnose.capture import Reading, capture
from repro.diagnose.diagnostics import anchor_of, invalid, measurements, rms_of
from repro.diagnose.groups import base_groups
from repro.evidence.folder import RunFolder, read_json
from repro.evidence.lock import exclusive
from repro.evidence.progress import Progress
from repro.evidence.request import Request, read_request
from repro.files import write_bytes
from repro.manifest.probes import ProbeSet
from repro.manifest.training import BlockDiagonal
from repro.measurement import Measurement, measured
from repro.plan.run import Run
from repro.plan.weight_files import check_weights
from repro.train.adapters.count import trained_rows
from repro.train.adapters.keep import load_adapter, save_adapter
from repro.train.adapters.place import adapt
from repro.train.allocator import keep_freed_memory
from repro.train.batches import check_embedded, check_predicting, tokenise, tokenise_probe
from repro.train.health import Divergence, check_activations, check_parameters, last_healthy, read_state, save_state
from repro.train.heldout import heldout_losses
from repro.train.leaks import HeldOut
from repro.train.loop import Step, Trainer
from repro.train.mixture import order, order_by_tokens, shared, split
from repro.train.model import load_base, load_tokenizer, require_device
from repro.train.provenance import write_provenance
from repro.train.regularizer import Regularizer, regularizer
from repro.train.texts import texts
from repro.train.usage import Usage

PATIENCE = 30.0  # seconds for a worker whose host has ended to end too


@dataclass
class Session:
    """A loaded run: its model, its data, its folder."""

    run: Run
    folder: RunFolder
    probes: Sequence[ProbeSet]
    """What activations are measured on: the run's own set first."""
    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    progress: Progress
    steps: Sequence[Sequence[Sequence[int]]]
    """Token sequences of every optimizer step."""
    heldout: Mapping[str, Sequence[Sequence[int]]]
    regularizer: Regularizer | None
    usage: Usage = field(init=False)

    def __post_init__(self) -> None:
        self.usage = Usage(self.folder.path)


def carry_out(path: Path, cache: Path) -> None:
    """Bring the run in `path` to its end. A finished run is left alone."""
    with exclusive(path, "worker", patience=PATIENCE):
        _carry_out(RunFolder(path), cache)


def _carry_out(folder: RunFolder, cache: Path) -> None:
    request = read_request(folder.path)
    if folder.done():
        return
    require_device(request.device)
    folder.sweep()
    _deterministic(request.threads)
    session = load(request, folder, cache)
    diverged = None
    if session.run.steps:
        diverged = _train(session)
    else:  # a condition that trains nothing: the base model, once
        rows, broken = _measure(session, 0)
        session.folder.append(0, rows)
        diverged = broken.problem if broken else None
    session.usage.write()
    folder.finish("diverged" if diverged else "done", diverged)
    for state in folder.states:
        state.unlink(missing_ok=True)
    session.progress.show("diverged" if diverged else "done", force=True)


def _train(session: Session) -> str | None:
    """Train to the last step, or until something is not finite: the reason then."""
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
    """Give the model back its last healthy weights; what is kept, in words."""
    healthy = last_healthy(session.folder, divergence)
    if healthy is None:
        return "no healthy adapter is left; the one kept is not"
    trainer.restore(healthy)
    return f"the adapter kept is that of step {trainer.step}"


def load(request: Request, folder: RunFolder, cache: Path) -> Session:
    """Model, probes and data of a run; provenance is written as soon as everything is at hand.

    Raises SetupError, before anything is trained, for a folder that does not hold the whole model, and InputError for
    a tokenizer or texts that do not fit it.
    """
    run = request.run
    progress = Progress(folder.path, run.steps)
    progress.show("loading", force=True)
    model_folder = cache / "models" / run.model.folder
    check_weights(model_folder, run.model)
    tokenizer = load_tokenizer(model_folder)
    probes = _probe_sets(run, folder, tokenizer)
    base = load_base(model_folder, run.training)
    regularised = _regularizer(run, folder, base, tokenizer)
    model = _adapted(run, folder, base, tokenizer)
    if run.parent is not None:
        load_adapter(model, folder.start.path / "adapter")
    training, heldout = _data(run, tokenizer, cache)
    write_provenance(folder.path, request, cache, base)
    return Session(run, folder, probes, model, tokenizer, progress, training, heldout, regularised)


def _probe_sets(run: Run, folder: RunFolder, tokenizer: PreTrainedTokenizerBase) -> list[ProbeSet]:
    """The probe sets that activations are measured on, the run's own first; every token of them has an embedding."""
    names = [run.probe_file(name) for name in (run.probe_set, *run.also_probe_sets)]
    held = ["csr_probes.json"] if run.condition.csr and run.training.csr.probe_set else []
    found = [ProbeSet.model_validate(read_json(folder.path / name)) for name in (*names, *held)]
    for probes in found:
        sequences = (tokenise_probe(tokenizer, text)[0] for text in probes.texts())
        check_embedded(sequences, tokenizer, run.model.architecture.vocabulary, f"probe set {probes.id}")
    return found[: len(names)]


def _adapted(run: Run, folder: RunFolder, base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> nn.Module:
    """The base model with what its protocol trains; as it is for a condition that trains nothing."""
    if run.seed is None:
        return base
    adapter = run.training.trained
    if not isinstance(adapter, BlockDiagonal):
        return adapt(base, run.training, run.seed)
    probes = ProbeSet.model_validate(read_json(folder.path / run.probe_file(run.probe_set)))
    return adapt(base, run.training, run.seed, base_groups(base, tokenizer, probes, run.diagnostics, adapter))


def _regularizer(
    run: Run, folder: RunFolder, base: nn.Module, tokenizer: PreTrainedTokenizerBase
) -> Regularizer | None:
    """CSR around the base model, for a condition that asks for it."""
    if run.condition.csr is None:
        return None
    settings = run.training.csr
    probes = ProbeSet.model_validate(
        read_json(folder.path / ("csr_probes.json" if settings.probe_set else "probes.json"))
    )
    target = [domain == settings.target for domain in probes.labels()["domain"]]
    return regularizer(base, tokenizer, probes.texts(), target, settings, run.condition.csr, run.training.compute)


def _data(
    run: Run, tokenizer: PreTrainedTokenizerBase, cache: Path
) -> tuple[list[list[list[int]]], dict[str, list[list[int]]]]:
    """(token sequences of each step, held-out sequences by domain)."""
    edition = run.environment["texts"]
    parts = {
        domain: [
            split(source.id, texts(source, edition, cache), count)
            for source, count in zip(sources, shared(run.training.heldout, len(sources)), strict=True)
        ]
        for domain, sources in run.domains.items()
    }
    used = sorted({domain for phase in run.condition.phases for domain in phase.mixture})
    encode = cached(lambda text: tokenise(tokenizer, text, run.training))
    held = HeldOut((text for sources in parts.values() for _, chosen in sources for text in chosen), encode, tokenizer)
    trained = {name: [[text for text in kept if not held.holds(text)] for kept, _ in parts[name]] for name in used}
    per_step = run.training.sequences_per_step
    phases, seed = run.condition.phases, run.draw_seed
    if run.condition.mixing == "tokens":
        drawn = order_by_tokens(phases, trained, per_step, seed, length=lambda text: len(encode(text)))
    else:
        drawn = order(phases, trained, per_step, seed)
    ids = [encode(text) for _, text in drawn]
    heldout = {domain: [encode(text) for _, chosen in sources for text in chosen] for domain, sources in parts.items()}
    steps = [ids[start : start + per_step] for start in range(0, len(ids), per_step)]
    for number, sequences in enumerate(steps, 1):
        check_predicting(sequences, f"the texts of step {number}")
    heldout = {domain: rows for domain, rows in heldout.items() if rows}
    for domain, rows in heldout.items():
        check_predicting(rows, f"the held-out texts of domain {domain}")
    everything = (row for rows in (ids, *heldout.values()) for row in rows)
    check_embedded(everything, tokenizer, run.model.architecture.vocabulary, "the training texts")
    return steps, heldout


def checkpoints(session: Session, trainer: Trainer) -> Iterator[list[Step]]:
    """Train; yield the steps since the last checkpoint whenever one is due, and at the first step that is not finite."""
    due = {*session.run.measured_steps(), *range(0, session.run.steps, session.run.training.checkpoint_every)}
    since: list[Step] = []
    for step in trainer.run(session.steps):
        since.append(step)
        session.progress.step(step)
        if step.step in due or not step.finite:
            yield since
            since = []


def checkpoint(session: Session, trainer: Trainer, steps: Sequence[Step]) -> Divergence | None:
    """Measure where measuring is due, write the evidence, save the state; what went wrong when training has diverged."""
    session.usage.trained(steps)
    probes = session.regularizer.probes if session.regularizer else 0
    rows = [row for step in steps for row in _log(step, probes)]
    broken = next((step for step in steps if not step.finite), None)
    diverged = Divergence(broken.step - 1, broken.problem) if broken else check_parameters(session.model, trainer.step)
    if trainer.step in session.run.measured_steps() and not diverged:
        measured_rows, diverged = _measure(session, trainer.step)
        rows += measured_rows
    session.folder.append(trainer.step, rows)
    if not diverged:
        save_state(session.folder, trainer.state(), measured=trainer.step in session.run.measured_steps())
    session.usage.write()
    return diverged


def _measure(session: Session, step: int) -> tuple[list[Measurement], Divergence | None]:
    """The measurements of a checkpoint, anchored to the base model's, and what is wrong with its activations."""
    session.progress.show("measuring", force=True)
    rows = [] if step else list(trained_rows(session.model))
    base = session.folder.start if session.run.parent else session.folder if step else None
    before = base.measurements(0) if base else []
    diverged = None
    for probes in session.probes:
        X = _activations(session, probes, step)
        named = None if probes.id == session.run.probe_set else probes.id
        found = measurements(X, probes.labels(), step, session.run.diagnostics, anchor_of(before, named), named)
        healthy = max((at for at in session.run.measured_steps() if at < step), default=-1)
        scaled = session.run.diagnostics.scale != "none"  # the recorded size is then 1, whatever the model's is
        broken = check_activations(X, None if scaled else rms_of(before, named), step, healthy)
        rows += invalid(found, broken.problem) if broken else found
        diverged = diverged or broken
    rows += heldout_losses(session.model, session.heldout, session.run.training, step)
    session.progress.measured(rows)
    return rows, diverged


def _activations(session: Session, probes: ProbeSet, step: int) -> npt.NDArray[np.float32]:
    """The activations (N × H) of a checkpoint on one probe set, kept as evidence."""
    reading = Reading.of(session.run.diagnostics)
    X = capture(session.model, session.tokenizer, probes.texts(), [reading])[reading]
    name = f"{step:06d}.safetensors" if probes.id == session.run.probe_set else f"{step:06d}.{probes.id}.safetensors"
    write_bytes(session.folder.path / "activations" / name, save_tensors({"activations": torch.from_numpy(X)}))
    return X


def _log(step: Step, probes: int) -> Iterator[Measurement]:
    """What training tells of a step; `probes`: behind the penalty of CSR."""
    for quantity, value in (
        ("loss", step.loss),
        ("gradient_norm", step.gradient_norm),
        ("learning_rate", step.learning_rate),
    ):
        yield measured(value, quantity=quantity, step=step.step, n=step.tokens)
    if step.csr_loss is not None:
        yield measured(step.csr_loss, quantity="csr_loss", step=step.step, n=probes)


def _deterministic(threads: int) -> None:
    torch.set_num_threads(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before cuBLAS starts, which is not exact without
    torch.use_deterministic_algorithms(True)
    # Filling every new tensor finds reads of memory nobody wrote; it changes no number and takes a seventh of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch sets it at run time
