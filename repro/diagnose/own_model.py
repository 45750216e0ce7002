"""Read the activations of a user's own model on texts, block by block, in float32."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from repro.diagnose.capture import Reading, capture
from repro.diagnose.walk import passes_over, walk
from repro.errors import InputError, SetupError
from repro.manifest.training import Quantisation, Training
from repro.plan.weight_files import otherwise_stored, read_tensors
from repro.train.batches import check_embedded, tokenise_probe
from repro.train.model import load_skeleton, load_tokenizer, require_device

_PLAIN = Training(quantisation=Quantisation(format="none"), compute="float32")


def activations(spec: dict[str, Any]) -> None:
    """Write the activations (N × H) of the model in a folder on texts, as an npz file.

    The hidden states after each block are kept in the file `state`, from which it goes on. Raises
    SetupError for a folder that does not hold a whole model.
    """
    folder, state = Path(spec["model"]), Path(spec["state"])
    require_device("cpu")
    torch.set_num_threads(spec["threads"])
    torch.use_deterministic_algorithms(True)
    files = read_tensors(folder, str(folder))
    if problem := otherwise_stored(files):
        raise SetupError(f"{folder}: {problem}; other formats need a scale that is kept elsewhere")
    skeleton = load_skeleton(folder, _PLAIN)
    tokenizer = load_tokenizer(folder)
    rows: int = skeleton.get_input_embeddings().weight.shape[0]  # type: ignore[index,assignment]  # an embedding's weight is a tensor
    sequences = (tokenise_probe(tokenizer, text)[0] for text in spec["texts"])
    check_embedded(sequences, tokenizer, rows, "the probes")
    walked = walk(skeleton, files, passes_over(tokenizer, spec["texts"]), state, _say)
    X = capture(walked, tokenizer, spec["texts"], [Reading()])[Reading()]
    if not np.isfinite(X).all():
        raise InputError(f"{folder}: found activations that are not finite; the model is broken")
    np.savez(spec["destination"], activations=X)


def _say(done: int, of: int) -> None:
    print(f"block {done} of {of}", file=sys.stderr, flush=True)
