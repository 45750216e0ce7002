"""Load a run: its model with the adapter, its probe sets, its texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from repro.cache import model_folder, streamed_folder
from repro.diagnose.arrivals import arrivals
from repro.diagnose.groups import base_groups
from repro.diagnose.updates import Weights, base_weights
from repro.diagnose.walk import no_waiting, passes_over, walk
from repro.evidence.folder import BY_SHARD, RunFolder, read_json
from repro.evidence.progress import Progress
from repro.evidence.request import Request
from repro.manifest.adapters import BlockDiagonal
from repro.manifest.probes import ProbeSet
from repro.plan.model_files import check_model, check_streamed
from repro.plan.run import Run
from repro.plan.weight_files import read_tensors
from repro.train.adapters.keep import load_adapter
from repro.train.adapters.place import adapt
from repro.train.batches import check_embedded, tokenise_probe
from repro.train.model import load_base, load_skeleton, load_tokenizer
from repro.train.provenance import write_provenance
from repro.train.regularizer import Regularizer, regularizer
from repro.train.usage import Usage
from repro.worker.data import attention_windows, training_data


@dataclass
class Session:
    """A loaded run: its model, its data, its folder."""

    run: Run
    folder: RunFolder
    probes: Sequence[ProbeSet]
    """The sets on which activations are measured, the run's own first."""
    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    progress: Progress
    steps: Sequence[Sequence[Sequence[int]]]
    """Token sequences of every optimizer step."""
    heldout: Mapping[str, Sequence[Sequence[int]]]
    regularizer: Regularizer | None
    windows: Sequence[Sequence[int]] = ()
    """Token sequences that attention is read on, where the manifest asks."""
    untrained: Weights = field(default_factory=dict)
    """The base model's weights that updates are read against, where every weight is trained and the
    manifest asks.
    """
    usage: Usage = field(init=False)

    def __post_init__(self) -> None:
        self.usage = Usage(self.folder.path)


def load(request: Request, folder: RunFolder, cache: Path) -> Session:
    """Load model, probes and data of a run, then write its provenance.

    Raises SetupError, before anything is trained, for a folder that does not hold the whole
    model, and InputError for a tokenizer or texts that do not fit it.
    """
    run = request.run
    progress = Progress(folder.path, run.steps)
    progress.show("loading", force=True)
    loaded = _loading(folder)
    streamed = loaded == BY_SHARD
    files = (streamed_folder if streamed else model_folder)(cache, run.model.folder)
    digests = (check_streamed if streamed else check_model)(files, run.model)
    tokenizer = load_tokenizer(files)
    probes = _probe_sets(run, folder, tokenizer)
    base = (load_base if loaded == "whole" else load_skeleton)(files, run.training)
    regularised = _regularizer(run, folder, base, tokenizer)
    model = _adapted(run, folder, base, tokenizer)
    also, whole = (
        run.diagnostics.also,
        run.seed is not None and not run.training.trained.base_is_frozen,
    )
    untrained = base_weights(model) if whole and "update_entropy" in also else {}
    windows = attention_windows(run, tokenizer, cache) if "attention_entropy" in also else []
    if run.parent is not None:
        load_adapter(model, folder.start.path / "adapter")
    training, heldout = training_data(run, tokenizer, cache)
    write_provenance(folder.path, request, cache, base, files, digests)
    if loaded != "whole":
        passes = [one for each in probes for one in passes_over(tokenizer, each.texts())]
        tensors = read_tensors(files, f"model {run.model.id} ({files})")
        waiting = arrivals(files, progress.show) if streamed else no_waiting
        model = walk(base, tensors, passes, folder.walk, progress.block, waiting)
    return Session(
        run,
        folder,
        probes,
        model,
        tokenizer,
        progress,
        training,
        heldout,
        regularised,
        windows,
        untrained,
    )


def _loading(folder: RunFolder) -> str:
    """Return how the host says that the model is to be loaded."""
    host = folder.path / "host.json"
    return str(read_json(host).get("loaded", "whole")) if host.exists() else "whole"


def _probe_sets(run: Run, folder: RunFolder, tokenizer: PreTrainedTokenizerBase) -> list[ProbeSet]:
    """Return the probe sets to measure on, the run's own first.

    Raises InputError for a token without an embedding.
    """
    names = [run.probe_file(name) for name in (run.probe_set, *run.also_probe_sets)]
    held = ["csr_probes.json"] if run.condition.csr and run.training.csr.probe_set else []
    found = [ProbeSet.model_validate(read_json(folder.path / name)) for name in (*names, *held)]
    for probes in found:
        sequences = (tokenise_probe(tokenizer, text)[0] for text in probes.texts())
        check_embedded(
            sequences, tokenizer, run.model.architecture.vocabulary, f"probe set {probes.id}"
        )
    return found[: len(names)]


def _adapted(
    run: Run, folder: RunFolder, base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> nn.Module:
    """Return the base model with the adapter of its protocol.

    Unchanged for a condition that trains nothing.
    """
    if run.seed is None:
        return base
    adapter = run.training.trained
    if not isinstance(adapter, BlockDiagonal):
        return adapt(base, run.training, run.seed)
    probes = ProbeSet.model_validate(read_json(folder.path / run.probe_file(run.probe_set)))
    return adapt(
        base, run.training, run.seed, base_groups(base, tokenizer, probes, run.diagnostics, adapter)
    )


def _regularizer(
    run: Run, folder: RunFolder, base: nn.Module, tokenizer: PreTrainedTokenizerBase
) -> Regularizer | None:
    """Return CSR around the base model; None for a condition without it."""
    if run.condition.csr is None:
        return None
    settings = run.training.csr
    probes = ProbeSet.model_validate(
        read_json(folder.path / ("csr_probes.json" if settings.probe_set else "probes.json"))
    )
    target = [domain == settings.target for domain in probes.labels()["domain"]]
    return regularizer(
        base, tokenizer, probes.texts(), target, settings, run.condition.csr, run.training.compute
    )
