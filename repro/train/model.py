"""Loading a model for fine-tuning: frozen NF4 weights, LoRA adapters, and a capture mode that is safe on CPUs.

The trap this module avoids: on CPUs with AVX512-BF16, bitsandbytes repacks a Linear4bit for a kernel without gradient
at its first forward pass in eval mode, and train() does not undo it. LoRA gradients then vanish in silence. So every
Linear4bit stays in training mode for good, and captures switch off dropout alone (`without_dropout`).
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from bitsandbytes.nn import Linear4bit  # type: ignore[attr-defined]  # re-exported without saying so
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from repro.errors import SetupError
from repro.manifest.training import Quantisation, Training
from repro.train.fused import FusedLinear4bit, share_and_keep

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
LOADED_OTHERWISE = {
    "missing_keys": "weights that are in no file would be drawn at random",
    "mismatched_keys": "weights of another shape would be drawn at random",
    "unexpected_keys": "tensors of the files belong to no weight of the model",
    "error_msgs": "not every weight could be loaded",
    "conversion_errors": "not every weight could be loaded",
}
"""What transformers tells about loading a model → what that means."""


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder; nothing in the folder is run. Raises SetupError when it has none."""
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
    except Exception as error:  # the parser behind it raises every kind, and bare exceptions too
        problem = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise SetupError(
            f"{folder}: no tokenizer can be read from it ({problem}); name a source that holds the model's own"
        ) from error
    return tokenizer


def require_device(planned: str | None) -> None:
    """Refuse a run that was planned for a GPU where torch finds none. Raises SetupError."""
    if planned == "cuda" and not torch.cuda.is_available():
        raise SetupError(
            f"planned for a GPU, but torch {torch.__version__} finds none here; run it where there is one, or remove "
            "the run's folder and plan it for the processor (TORCH=cpu)"
        )


def load_base(folder: Path, training: Training) -> PreTrainedModel:
    """The frozen base model in training mode, quantised as the protocol says, without a key-value cache.

    What is not quantised (embeddings, norms) stays in float32, the usual QLoRA recipe. Raises SetupError when a
    parameter comes from no file, or a tensor of the files went nowhere.
    """
    compute = DTYPES[training.compute]
    model, loaded = _from_files(folder, _quantisation(training.quantisation, compute))
    check_all_loaded(folder, loaded)
    model.config.use_cache = False
    model.requires_grad_(False)
    model.train()
    return model


def _from_files(folder: Path, quantisation: BitsAndBytesConfig | None) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The model, and what the loader tells about it."""
    try:
        found = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=torch.float32,
            quantization_config=quantisation,
            device_map="auto" if torch.cuda.is_available() else None,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that they are told like the rest, and refused
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:  # settings that no model is built from
        problem = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise SetupError(f"{folder}: the model could not be loaded ({problem}); name another source") from error
    return cast(tuple[PreTrainedModel, dict[str, Any]], found)


def check_all_loaded(folder: Path, loaded: Mapping[str, Any], spare: Collection[str] = ()) -> None:
    """Refuse what a loader tells of in a warning alone: weights drawn at random, tensors passed over.

    `spare`: names that may be missing, because their content comes from elsewhere.
    """
    for found, what in LOADED_OTHERWISE.items():
        names = sorted({str(name) for name in loaded.get(found) or ()} - set(spare))
        if names:
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            raise SetupError(f"{folder}: {what}: {shown}; name a source that holds the whole model")


def _quantisation(quantisation: Quantisation, compute: torch.dtype) -> BitsAndBytesConfig | None:
    if quantisation.format == "none":
        return None
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantisation.format,
        bnb_4bit_use_double_quant=quantisation.double,
        bnb_4bit_compute_dtype=compute,
    )


def add_lora(base: PreTrainedModel, training: Training, seed: int) -> nn.Module:
    """`base` with float32 LoRA matrices on every target; their initial values depend on `seed` alone."""
    torch.manual_seed(seed)
    lora = training.lora
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # annotated as an integer, used as a factor
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    config._register_custom_module({Linear4bit: FusedLinear4bit})  # peft's interface for this, public or not
    save_memory(base, training)
    model = get_peft_model(base, config).train()
    share_and_keep(model, DTYPES[training.compute] if training.dequantise == "once" else None)
    return model


def save_memory(base: PreTrainedModel, training: Training) -> None:
    """Keep a block's input alone for the backward pass, where the protocol says so."""
    if training.gradient_checkpointing:
        base.gradient_checkpointing_enable({"use_reentrant": False})
        base.enable_input_require_grads()


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Trainable parameters by name, in a fixed order."""
    return {name: value for name, value in sorted(model.named_parameters()) if value.requires_grad}


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Switch dropout off, and only dropout: no other module leaves training mode."""
    switched = [module for module in model.modules() if isinstance(module, nn.Dropout) and module.training]
    for module in switched:
        module.training = False
    try:
        yield
    finally:
        for module in switched:
            module.training = True
