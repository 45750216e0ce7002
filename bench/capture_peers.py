"""Time our capture, nnsight's and TransformerLens's in turns on the same batches.

Prints JSON. Run by bench/capture.py. Each starts from the texts and ends with pooled rows. The
peers are used as their documentation shows, with our batches by length; nnsight is also timed with
its trace stopped at the final norm, which its users may not do.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import nnsight
import numpy as np
import torch
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.capture import PROBES, batches, captured, interleaved
from repro.diagnose.capture import pool
from repro.manifest.probes import load_probe_set


def main(folder: str) -> None:
    """Time the three on the model in `folder`, each with its own copy of it."""
    texts = list(load_probe_set(PROBES).texts())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    copies = [
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval() for _ in range(3)
    ]
    traced = nnsight.LanguageModel(copies[1], tokenizer=tokenizer)
    bridged = TransformerBridge.boot_transformers(
        folder, hf_model=copies[2], tokenizer=tokenizer, dtype=torch.float32
    )

    def by_nnsight(ids: torch.Tensor, mask: torch.Tensor, stop: bool = False) -> Any:
        with traced.trace({"input_ids": ids, "attention_mask": mask}) as tracer:
            hidden = traced.model.norm.output.save()
            if stop:
                tracer.stop()
        return hidden

    def by_transformer_lens(ids: torch.Tensor, mask: torch.Tensor) -> Any:
        hook = "ln_final.hook_out"
        return bridged.run_with_cache(ids, attention_mask=mask, names_filter=[hook])[1][hook]

    def pooled(hidden_of: Any) -> np.ndarray:
        found = torch.zeros(len(texts), copies[0].config.hidden_size)
        with torch.no_grad():
            for indices, ids, mask, special in batches(tokenizer, texts):
                found[indices] = pool(hidden_of(ids, mask), mask * (1 - special), "mean")
        return found.numpy()

    ways: dict[str, Callable[[], Any]] = {
        "capture": lambda: captured(copies[0], tokenizer, texts),
        "nnsight": lambda: pooled(by_nnsight),
        "nnsight, stopped early": lambda: pooled(partial(by_nnsight, stop=True)),
        "TransformerLens": lambda: pooled(by_transformer_lens),
    }
    found = [np.asarray(work()) for work in ways.values()]
    seconds = interleaved(*ways.values())
    packages = ("torch", "nnsight", "nnsight", "transformer-lens")
    report = {
        way: {
            "seconds": taken,
            "version": version(package),
            "difference": float(np.abs(values - found[0]).max() / np.abs(found[0]).max()),
        }
        for way, taken, package, values in zip(ways, seconds, packages, found, strict=True)
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
