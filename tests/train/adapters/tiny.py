"""Tiny models with every kind of adapter, and what they compute."""

from pathlib import Path

import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from repro.manifest.adapters import BlockDiagonal, Full, Lora, Mps
from repro.manifest.load import load_models
from repro.manifest.training import Quantisation, Training
from repro.train.adapters.block_diagonal import Group
from repro.train.adapters.place import adapt
from repro.train.model import load_base, trainable, without_dropout

WIDTH = 64
KINDS = ("lora", "full", "aligned", "isolated", "mps")
ADAPTERS = ("lora", "aligned", "isolated", "mps")
BASE = load_models()["tiny-llama"]


def groups(grouping: str) -> tuple[Group, ...]:
    """Three concepts with two, three and three orthonormal directions; aligned joins the first two."""
    basis = torch.linalg.qr(torch.randn(WIDTH, 8, generator=torch.Generator().manual_seed(5))).Q
    if grouping == "aligned":
        return Group(("domain", "register"), basis[:, :5]), Group(("shape",), basis[:, 5:])
    return (
        Group(("domain",), basis[:, :2]),
        Group(("register",), basis[:, 2:5]),
        Group(("shape",), basis[:, 5:]),
    )


def protocol(
    kind: str, quantisation: str = "none", rank: int = 2, compute: str = "float32"
) -> Training:
    """Dropout on, so that a comparison that forgets to switch it off fails."""
    training = Training(
        quantisation=Quantisation(format=quantisation),
        lora=Lora(rank=4, alpha=8, dropout=0.2),
        compute=compute,
        gradient_checkpointing=False,
    )
    if kind == "lora":
        return training
    if kind == "mps":
        return training.model_copy(update={"adapter": Mps(rank=4, bond=3, alpha=8, dropout=0.2)})
    other = (
        Full()
        if kind == "full"
        else BlockDiagonal(grouping=kind, rank=rank, alpha=2 * rank, dropout=0.2)
    )
    return training.model_copy(update={"adapter": other})


def adapted(
    folder: Path,
    kind: str,
    quantisation: str = "none",
    seed: int = 0,
    rank: int = 2,
    compute: str = "float32",
) -> nn.Module:
    """A model that is ready to be trained."""
    training = protocol(kind, quantisation, rank, compute)
    chosen = groups(kind) if kind in ("aligned", "isolated") else ()
    return adapt(load_base(folder, training), training, seed, chosen)


def disturbed(model: nn.Module, seed: int = 3) -> nn.Module:
    """The model with every trained matrix moved: B starts at zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in trainable(model).values():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return model


def outputs(model: nn.Module) -> Tensor:
    """Logits of two sequences, without dropout."""
    ids = torch.arange(40).reshape(2, 20) * 7 % 1000
    with torch.no_grad(), without_dropout(model):
        logits: Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return logits


def layers(model: nn.Module) -> dict[str, LoraLayer]:
    """peft's LoRA layers by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLayer)}


def updates(model: nn.Module) -> dict[str, Tensor]:
    """ΔW of each adapted module, as peft computes it."""
    found = layers(model).items()
    return {name: layer.get_delta_weight("default").detach() for name, layer in found}  # type: ignore[attr-defined]  # layers over linear modules have it
