"""Carry out one generation, from its description to a file that can be resumed."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from repro.errors import SetupError, first_line
from repro.evaluate.generate import Completion, generate, refuted
from repro.evaluate.weights import bring_back
from repro.files import write_bytes
from repro.manifest.evaluation import Generation
from repro.manifest.training import Training
from repro.train.model import check_all_loaded, load_base, load_tokenizer, require_device

ADAPTER, WHOLE = "adapter_model.safetensors", "model.safetensors"


def complete(spec: dict[str, Any]) -> None:
    """Complete the prompts of a job into its destination; keep what is there already.

    Raises SetupError.
    """
    require_device(spec["device"])
    torch.set_num_threads(spec["threads"])
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    destination, generation = (
        Path(spec["destination"]),
        Generation.model_validate(spec["generation"]),
    )
    kept = read_completions(destination)
    total = len(spec["prompts"]) * generation.samples
    if len(kept) < total or refuted(kept):
        model = _model(spec)
        tokenizer = load_tokenizer(Path(spec["model"]))
        destination.parent.mkdir(parents=True, exist_ok=True)
        with destination.open("a", encoding="utf-8") as file:

            def keep(completion: Completion) -> None:
                file.write(json.dumps(asdict(completion), ensure_ascii=False) + "\n")
                file.flush()
                kept[completion.task_id, completion.sample] = completion
                print(f"{len(kept)} of {total} completions", file=sys.stderr, flush=True)

            prompts = [tuple(pair) for pair in spec["prompts"]]
            bound = generate(model, tokenizer, prompts, generation, keep, dict(kept))
        print(
            f"logits differ by {bound.seen:.1e} between batch and alone",
            file=sys.stderr,
            flush=True,
        )
    order = [(task, sample) for task, _ in spec["prompts"] for sample in range(generation.samples)]
    lines = [json.dumps(asdict(kept[key]), ensure_ascii=False) + "\n" for key in order]
    write_bytes(destination, "".join(lines).encode())


def read_completions(path: Path) -> dict[tuple[str, int], Completion]:
    """Return the completions of a file by (task, sample).

    An incomplete last line, left by a killed worker, is dropped. Of several lines for one
    completion the last counts. Raises SetupError for a line that is not a completion.
    """
    found: dict[tuple[str, int], Completion] = {}
    if not path.exists():
        return found
    whole = path.read_bytes()
    end = whole.rfind(b"\n") + 1
    if end < len(whole):
        write_bytes(path, whole[:end])
    # splitlines() would also split at signs that a program may hold, such as a form feed.
    for number, line in enumerate(whole[:end].split(b"\n")[:-1], 1):
        try:
            one = Completion(**json.loads(line))
            found[one.task_id, one.sample] = one
        except (ValueError, KeyError, TypeError, RecursionError):
            raise SetupError(
                f"{path}:{number}: is no completion; remove the file, and they are made again"
            ) from None
    return found


def _model(spec: dict[str, Any]) -> nn.Module:
    """Return the model of a job, with its trained adapter or weights.

    It is loaded as the protocol says, else in float32. Raises SetupError.
    """
    folder, adapter = Path(spec["model"]), Path(spec["adapter"]) if spec["adapter"] else None
    if (
        adapter is not None
        and not (adapter / ADAPTER).is_file()
        and not (adapter / WHOLE).is_file()
    ):
        raise SetupError(
            f"{adapter}: found neither {ADAPTER} nor {WHOLE}, expected one of them; no other "
            "format is read"
        )
    if adapter is not None and not (adapter / ADAPTER).is_file():
        return _whole(adapter)
    training = Training.model_validate(spec["training"]) if spec["training"] else None
    base = load_base(folder, training) if training else _whole(folder)
    if training and training.dequantise == "once":  # The protocol says that memory suffices.
        bring_back(base)
    if adapter is None:
        return base
    try:
        adapted: nn.Module = PeftModel.from_pretrained(base, str(adapter), use_safetensors=True)
    except (ValueError, TypeError, KeyError, RuntimeError, OSError) as error:
        problem = first_line(error)
        raise SetupError(
            f"{adapter}: the adapter does not fit {folder} ({problem}); give the model it "
            "was trained on"
        ) from error
    return adapted.train()


def _whole(folder: Path) -> nn.Module:
    """Return the model in a folder, in float32. Raises SetupError."""
    try:
        found = AutoModelForCausalLM.from_pretrained(
            str(folder), dtype=torch.float32, trust_remote_code=False, use_safetensors=True, local_files_only=True,
            output_loading_info=True, ignore_mismatched_sizes=True,
            device_map="auto" if torch.cuda.is_available() else None,
        )  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        problem = first_line(error)
        raise SetupError(
            f"{folder}: the model could not be loaded ({problem}); give a folder with safetensors"
        ) from error
    model, loaded = cast(tuple[PreTrainedModel, dict[str, Any]], found)
    check_all_loaded(folder, loaded)
    whole: nn.Module = model.eval()
    return whole
