"""Losses of texts that are not trained on, beside transformers' own."""

from pathlib import Path

import pytest
import torch

from repro.manifest.adapters import Lora
from repro.manifest.training import Training
from repro.train.adapters.place import adapt
from repro.train.heldout import heldout_losses
from repro.train.model import load_base

HELD = {"code": [[*range(5, 30)], [*range(40, 47)]], "math": [[9, 8, 7]]}


def protocol(**changes: object) -> Training:
    """Plain weights in float32, with much dropout."""
    given = {"quantisation": {"format": "none"}, "compute": "float32", "lora": Lora(dropout=0.5)}
    return Training.model_validate({**given, "gradient_checkpointing": False, **changes})


def test_a_domains_loss_is_the_mean_over_its_tokens(tiny_llama: Path) -> None:
    """Each predicted token counts once, however long its text."""
    model = load_base(tiny_llama, protocol())
    rows = heldout_losses(model, HELD, protocol(), 7)
    for row, (domain, sequences) in zip(rows, HELD.items(), strict=True):
        total, tokens = 0.0, 0
        for ids in sequences:
            given = torch.tensor([ids])
            with torch.no_grad():
                total += float(model(input_ids=given, labels=given).loss) * (len(ids) - 1)
            tokens += len(ids) - 1
        assert row.value == pytest.approx(total / tokens, rel=1e-5)
        assert (row.quantity, row.step, row.n, row.concept) == ("heldout_loss", 7, tokens, domain)


def test_dropout_is_off_while_it_is_measured_and_on_again_after(tiny_llama: Path) -> None:
    model = adapt(load_base(tiny_llama, protocol()), protocol(), 0)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value.normal_()
    first, again = (heldout_losses(model, HELD, protocol(), 0) for _ in range(2))
    assert first == again
    assert all(
        module.training for module in model.modules() if isinstance(module, torch.nn.Dropout)
    )


def test_without_texts_there_is_no_row(tiny_llama: Path) -> None:
    assert heldout_losses(load_base(tiny_llama, protocol()), {}, protocol(), 0) == []
