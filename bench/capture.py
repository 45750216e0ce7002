"""Compare activation capture with a plain forward pass, and with nnsight and TransformerLens.

It is also compared with one text at a time. The two libraries are not dependencies of ours. Install
them where the project's packages are visible and name that Python in REPRO_BENCH_PEERS; without it
their rows are left out.
"""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from bench.table import Row, missing, row
from repro.diagnose.capture import Reading, by_length, capture, padded_tensors, pool
from repro.diagnose.diagnostics import measurements
from repro.execute.folders import cache_folder
from repro.fetch.models import fetch_models
from repro.geometry.diagnosis import diagnose
from repro.manifest.experiment import Diagnostics
from repro.manifest.load import load_models
from repro.manifest.probes import load_probe_set
from repro.train.batches import tokenise_probe

MODEL = "smollm2-135m"
PROBES = "factorial_48"
READING = Reading()
ROUNDS = 3
PEERS_SECONDS = 200
WHERE = f"({MODEL}, {PROBES})"
Batch = tuple[list[int], torch.Tensor, torch.Tensor, torch.Tensor]


def rows() -> list[Row]:
    """Return the rows of the speed table that need a model."""
    model, tokenizer, texts = loaded()
    prepared = batches(tokenizer, texts)
    forward(model, prepared)
    X = captured(model, tokenizer, texts)
    plain, ours = interleaved(
        lambda: forward(model, batches(tokenizer, texts)), lambda: captured(model, tokenizer, texts)
    )
    note = f"{plain:.2f} s and {ours:.2f} s"
    return [
        row(
            f"capture against a plain forward of the same batches {WHERE}",
            plain / ours,
            "×",
            0.95,
            note=note,
        ),
        single_row(model, tokenizer, texts, X),
        diagnostics_row(X, plain),
        *peer_rows(),
    ]


def model_folder() -> Path:
    """Return the model's folder in the cache, fetched if missing."""
    model = load_models()[MODEL]
    fetch_models([model], cache_folder(), print)
    return cache_folder() / "models" / model.folder


def loaded() -> tuple[PreTrainedModel, PreTrainedTokenizerBase, list[str]]:
    """Return the model in float32, its tokenizer, and the probe texts."""
    folder = str(model_folder())
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(folder), list(load_probe_set(PROBES).texts())


def batches(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[Batch]:
    """Return the batches that `capture` makes: (indices, ids, mask, special-token mask)."""
    encoded = [tokenise_probe(tokenizer, text) for text in texts]
    order = by_length([len(ids) for ids, _ in encoded])
    return [
        (indices, *padded_tensors([encoded[i] for i in indices], torch.device("cpu")))
        for indices in order
    ]


@torch.no_grad()
def forward(model: PreTrainedModel, prepared: Sequence[Batch]) -> None:
    """Run the decoder alone and keep nothing: the least a capture can cost."""
    for _, ids, mask, _ in prepared:
        model.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False)


def captured(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]
) -> np.ndarray:
    """Return our capture, including tokenisation and pooling."""
    return np.asarray(capture(model, tokenizer, texts, [READING])[READING])


def interleaved(*works: Callable[[], object]) -> list[float]:
    """Return the median wall time of each, taken in turns.

    Each must have been called once before.
    """
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


@torch.no_grad()
def single_row(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], X: np.ndarray
) -> Row:
    """Measure the largest difference from the model's own hidden states, one text at a time.

    It is relative to the norm of the probe's activation.
    """
    worst = 0.0
    for text, mine in zip(texts, X, strict=True):
        item = tokenizer(text, return_tensors="pt", return_special_tokens_mask=True)
        kept = 1 - item.pop("special_tokens_mask")
        hidden = model(**item, output_hidden_states=True).hidden_states[-1]
        own = pool(hidden, kept, "mean")[0].numpy()
        worst = max(worst, float(np.abs(mine - own).max() / np.linalg.norm(own)))
    name = f"capture against the model's own states, one text at a time {WHERE}"
    return row(name, worst, "relative", 1e-5, at_most=True)


def diagnostics_row(X: np.ndarray, plain: float) -> Row:
    """Time all diagnostics of a later checkpoint, as rows of evidence, relative to the forward
    pass.
    """
    labels = load_probe_set(PROBES).labels()
    trace = diagnose(X, labels).trace

    def work() -> object:
        """Compute the rows of evidence."""
        return measurements(X, labels, 500, Diagnostics(), trace)

    work()
    (taken,) = interleaved(work)
    note = f"{1e3 * taken:.1f} ms beside {plain:.2f} s"
    return row(
        f"all diagnostics of a checkpoint against its forward pass {WHERE}",
        100 * taken / plain,
        "%",
        5,
        True,
        note,
    )


def peer_rows() -> list[Row]:
    """Compare our capture with nnsight's and TransformerLens's, in one process of the Python
    that has them.
    """
    python = os.environ.get("REPRO_BENCH_PEERS")
    if not python:
        return []
    name = f"capture against nnsight and TransformerLens {WHERE}"
    command = [python, "-m", "bench.capture_peers", str(model_folder())]
    root, offline = Path(__file__).parents[1], {**os.environ, "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            cwd=root,
            env=offline,
            timeout=PEERS_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return [missing(name, f"not finished after {PEERS_SECONDS} s")]
    except subprocess.CalledProcessError as error:
        return [
            missing(name, (error.stderr.strip() or f"code {error.returncode}").splitlines()[-1])
        ]
    found = json.loads(done.stdout.splitlines()[-1])
    ours = found.pop("capture")["seconds"]
    return [
        row(
            f"capture against {peer} {WHERE}",
            its["seconds"] / ours,
            "×",
            1.0,
            note=f"{its['version']}; {its['seconds']:.2f} s against {ours:.2f} s; values differ "
            f"by {its['difference']:.0e}",
        )
        for peer, its in found.items()
    ]


if __name__ == "__main__":
    for line in rows():
        print(line)
