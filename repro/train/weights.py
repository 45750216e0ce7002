"""Turn a fetched source into a model folder (safetensors and tokenizer) that every run then reads.

A GGUF file is dequantised once; a random model is drawn once. The folder says which
(`identity.json`), since the origin of weights is part of what a model is (docs/SCIENCE.md §9).
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from repro.cache import IDENTITY
from repro.errors import SetupError
from repro.manifest.model import Architecture, Model, PackagedGGUF
from repro.plan.weight_files import check_weights
from repro.train.model import check_all_loaded
from repro.train.texts import python_topics, standard_library

MODEL_FAMILIES = {
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    "llama": (LlamaConfig, LlamaForCausalLM),
    "mistral": (MistralConfig, MistralForCausalLM),
}
END_OF_TEXT = "<|endoftext|>"


def materialise(model: Model, source: Path | None, destination: Path) -> None:
    """Write the model folder `destination` in one rename.

    `source` is the GGUF file, if there is one. Raises SetupError when the weights do not fit
    the architecture that models.yaml states.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
    try:
        if isinstance(model.weights, PackagedGGUF):
            assert source is not None
            network, tokenizer = from_gguf(source)
        else:
            network, tokenizer = at_random(model)
        _check_architecture(model, network)
        network.save_pretrained(beside, safe_serialization=True)
        tokenizer.save_pretrained(beside)
        identity = {"model": model.model_dump(mode="json"), "parameters": network.num_parameters()}
        (beside / IDENTITY).write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
        check_weights(beside, model)
        shutil.rmtree(destination, ignore_errors=True)
        os.replace(beside, destination)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def from_gguf(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return a dequantised GGUF checkpoint as a new float32 model.

    A model loaded from GGUF refuses to be saved.
    """
    found = AutoModelForCausalLM.from_pretrained(
        str(path.parent), gguf_file=path.name, dtype=torch.float32, output_loading_info=True
    )
    loaded, told = cast(tuple[PreTrainedModel, dict[str, Any]], found)
    check_all_loaded(path, told)
    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    state = loaded.state_dict()
    described = loaded.config.to_dict()
    described.pop("quantization_config", None)  # It describes the GGUF file, not what is saved.
    config = type(loaded.config).from_dict(described)
    if "lm_head.weight" in state and torch.equal(
        state["lm_head.weight"], state["model.embed_tokens.weight"]
    ):
        # Loading from GGUF unties matrices that the file holds once.
        config.tie_word_embeddings = True
    network: PreTrainedModel = type(loaded)(config)
    network.load_state_dict(state)
    return network, tokenizer


def at_random(model: Model) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Return `model`'s architecture with seeded random weights, and a tokenizer.

    The tokenizer is byte-level BPE, trained here.
    """
    shape = model.architecture
    tokenizer = _small_tokenizer(shape.vocabulary)
    config, network = MODEL_FAMILIES[shape.family]
    torch.manual_seed(getattr(model.weights, "seed", 0))
    return network(config(**configuration(shape), eos_token_id=tokenizer.eos_token_id)), tokenizer


def configuration(shape: Architecture) -> dict[str, int | bool]:
    """Return the arguments of transformers' configuration that `shape` fixes."""
    return {
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "intermediate_size": shape.intermediate,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": shape.tied,
        "max_position_embeddings": 2048,
    }


def _small_tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer, trained on the interpreter's own texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(standard_library()[:200] + python_topics()[:200], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END_OF_TEXT, pad_token=END_OF_TEXT
    )


def _check_architecture(model: Model, network: PreTrainedModel) -> None:
    """Raise SetupError when the weights have another architecture than models.yaml states."""
    wanted = configuration(model.architecture)
    for field in (
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "intermediate_size",
        "tie_word_embeddings",
    ):
        found = getattr(network.config, field)
        if found != wanted[field]:
            raise SetupError(
                f"model {model.id}: the weights have {field} {found}, models.yaml says "
                f"{wanted[field]}; correct it there"
            )
