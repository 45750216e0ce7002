"""Load a model for fine-tuning, with a capture mode that is safe on CPUs.

It has frozen NF4 weights and LoRA adapters. The trap this module avoids: on CPUs with AVX512-BF16,
bitsandbytes repacks a Linear4bit for a kernel without gradient at its first forward pass in eval
mode, and train() does not undo it. LoRA gradients then silently vanish. So every Linear4bit always
stays in training mode, and captures switch off only dropout (`without_dropout`).
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from bitsandbytes.nn import Linear4bit  # type: ignore[attr-defined]  # re-exported without saying so
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from repro.errors import SetupError, first_line
from repro.manifest.adapters import Lora
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
"""What transformers reports about loading a model → what it means."""


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a model folder, without running any code in it.

    Raises SetupError when it has none.
    """
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
    except Exception as error:  # The parser raises exceptions of every kind, bare ones too.
        problem = first_line(error)
        raise SetupError(
            f"{folder}: no tokenizer can be read from it ({problem}); name a source that "
            "holds the model's own"
        ) from error
    return tokenizer


def require_device(planned: str) -> None:
    """Refuse a run planned for a GPU where torch finds none.

    Hide GPUs from a run planned for the CPU. Raises SetupError.
    """
    if planned == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if planned == "cuda" and not torch.cuda.is_available():
        raise SetupError(
            f"planned for a GPU, but torch {torch.__version__} finds none here; run it where "
            "there is one, or remove "
            "the run's folder and plan it for the processor (TORCH=cpu)"
        )


def load_base(folder: Path, training: Training) -> PreTrainedModel:
    """Load the base model: frozen, in training mode, quantised as the protocol says.

    It has no key-value cache. What is not quantised (embeddings, norms) stays in float32, the
    usual QLoRA recipe. Raises SetupError when a parameter is in no file, or a tensor of the
    files belongs to no parameter.
    """
    return _frozen(folder, training, "auto" if torch.cuda.is_available() else None)


def load_skeleton(folder: Path, training: Training) -> PreTrainedModel:
    """Return the same model with every weight on the meta device: shapes and kinds, no numbers.

    What the configuration alone decides (the rotary embedding) is there. Raises SetupError as
    `load_base` does.
    """
    model = _frozen(folder, training, "meta")
    decoder: Any = model.get_decoder()
    decoder.rotary_emb = type(decoder.rotary_emb)(config=model.config)
    return model


def _frozen(folder: Path, training: Training, placed: str | None) -> PreTrainedModel:
    """Return the base model frozen, in training mode. `placed`: on which devices."""
    compute = DTYPES[training.compute]
    quantisation = _quantisation(training.quantisation, compute)
    model, loaded = _from_files(folder, quantisation, placed)
    check_all_loaded(folder, loaded)
    model.config.use_cache = False
    model.requires_grad_(False)
    model.train()
    return model


def _from_files(
    folder: Path, quantisation: BitsAndBytesConfig | None, placed: str | None
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return the model, and the loader's report about it."""
    try:
        found = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=torch.float32,
            quantization_config=quantisation,
            device_map=placed,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # So that they are reported like the others, and refused.
        )
    except (
        OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, ImportError
    ) as error:  # fmt: skip
        # Settings from which no model can be built.
        problem = first_line(error)
        raise SetupError(
            f"{folder}: the model could not be loaded ({problem}); name another source of the model"
        ) from error
    return cast(tuple[PreTrainedModel, dict[str, Any]], found)


def check_all_loaded(folder: Path, loaded: Mapping[str, Any], spare: Collection[str] = ()) -> None:
    """Raise SetupError for what a loader only warns of.

    That is weights drawn at random, and tensors that were skipped. `spare`: names that may be
    missing, because their content comes from elsewhere.
    """
    for found, what in LOADED_OTHERWISE.items():
        names = sorted({str(name) for name in loaded.get(found) or ()} - set(spare))
        if names:
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            raise SetupError(f"{folder}: {what}: {shown}; name a source that holds the whole model")


def _quantisation(quantisation: Quantisation, compute: torch.dtype) -> BitsAndBytesConfig | None:
    """Return the quantisation in bitsandbytes' terms; None for none."""
    if quantisation.format == "none":
        return None
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantisation.format,
        bnb_4bit_use_double_quant=quantisation.double,
        bnb_4bit_compute_dtype=compute,
    )


def add_lora(base: PreTrainedModel, lora: Lora, training: Training, seed: int) -> nn.Module:
    """Return `base` with float32 LoRA matrices on every target.

    Their initial values depend on `seed` alone.
    """
    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # annotated as an integer, used as a factor
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    # This is peft's interface for it, despite the underscore.
    config._register_custom_module({Linear4bit: FusedLinear4bit})
    return adapted(base, config, training)


def adapted(base: PreTrainedModel, config: LoraConfig, training: Training) -> PeftModel:
    """Return `base` with what peft puts on it, ready to be trained.

    Fused layers share casts, and keep weights where asked.
    """
    save_memory(base, training)
    model: PeftModel = get_peft_model(base, config).train()
    keep_in = DTYPES[training.compute] if training.dequantise == "once" else None
    share_and_keep(model, keep_in, training.kernels == "counted")
    return model


def save_memory(base: PreTrainedModel, training: Training) -> None:
    """Keep only each block's input for the backward pass, where the protocol says so."""
    if training.gradient_checkpointing:
        base.gradient_checkpointing_enable({"use_reentrant": False})
        base.enable_input_require_grads()


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the trainable parameters by name, in a fixed order."""
    return {name: value for name, value in sorted(model.named_parameters()) if value.requires_grad}


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Switch dropout off, and only dropout: no other module leaves training mode."""
    switched = [
        module for module in model.modules() if isinstance(module, nn.Dropout) and module.training
    ]
    for module in switched:
        module.training = False
    try:
        yield
    finally:
        for module in switched:
            module.training = True
