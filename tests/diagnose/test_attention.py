"""Entropies of attention on a tiny model, beside transformers' own attention."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from repro.diagnose.attention import STREAMED, attention_rows, stream
from repro.evidence.part import part_name
from repro.geometry.entropy import profile
from repro.geometry.undefined import Array
from repro.train.loss import decoder_and_head
from repro.train.model import load_base, without_dropout
from tests.diagnose.cells import by_cell
from tests.train.adapters.tiny import adapted, disturbed, protocol

WINDOW = [1 + 7 * at % 900 for at in range(32)]
LENGTHS = (8, 16, 32)


def eager(model: nn.Module) -> tuple[list[Array], torch.Tensor]:
    """Attention by layer (heads × L × L) and the last hidden state, as transformers itself computes
    them.
    """
    decoder, _ = decoder_and_head(model)
    before = decoder.config._attn_implementation  # type: ignore[union-attr]  # a configuration
    decoder.config._attn_implementation = "eager"  # type: ignore[union-attr]  # the same
    with torch.no_grad(), without_dropout(model):
        out = decoder(input_ids=torch.tensor([WINDOW]), use_cache=False, output_attentions=True)
    decoder.config._attn_implementation = before  # type: ignore[union-attr]  # the same
    return [layer[0].double().numpy() for layer in out.attentions], out.last_hidden_state


@pytest.mark.parametrize("kind", ["lora", "mps", "full"])
def test_every_heads_matrix_is_transformers_own_one_after_another(
    tiny_llama: Path, kind: str
) -> None:
    model = disturbed(adapted(tiny_llama, kind))
    expected, _ = eager(model)
    seen: dict[tuple[int, int], Array] = {}
    stream(model, WINDOW, lambda layer, head, A: seen.setdefault((layer, head), A) is None)
    assert list(seen) == [
        (layer, head) for layer in range(len(expected)) for head in range(len(expected[0]))
    ]
    for (layer, head), A in seen.items():
        assert np.allclose(A, expected[layer][head], atol=1e-6)
        assert np.allclose(A.sum(axis=1), 1)
        assert not np.triu(A, 1).any()
    decoder, _ = decoder_and_head(model)
    assert decoder.config._attn_implementation != STREAMED  # type: ignore[union-attr]  # a configuration


def test_the_beginning_of_a_window_has_the_attention_of_a_shorter_text(tiny_llama: Path) -> None:
    model = load_base(tiny_llama, protocol("lora"))
    seen: dict[int, list[Array]] = {}
    for length in (16, 32):
        stream(
            model,
            WINDOW[:length],
            lambda _layer, _head, A, at=length: seen.setdefault(at, []).append(A),
        )
    assert all(
        np.allclose(long[:16, :16], short, atol=1e-6)
        for short, long in zip(seen[16], seen[32], strict=True)
    )


def test_attention_rows_are_means_of_the_matrices_own_profiles(tiny_llama: Path) -> None:
    model = disturbed(adapted(tiny_llama, "lora"))
    found = by_cell(list(attention_rows(model, [WINDOW, WINDOW[::-1]], LENGTHS, 3)))
    matrices: dict[tuple[int, int], list[Array]] = {}
    for window in (WINDOW, WINDOW[::-1]):
        stream(
            model, window, lambda layer, head, A: matrices.setdefault((layer, head), []).append(A)
        )
    for T in LENGTHS:
        middle = [
            profile(A[:T, :T])[int(np.log2(T)) - 1] for pair in matrices.values() for A in pair
        ]
        where = part_name(matrix="attention", length=T)
        assert found["entanglement_entropy", where, None, "default"] == pytest.approx(
            np.mean(middle)
        )
    assert found["entanglement_entropy", "matrix=attention", None, "default"] == pytest.approx(
        np.mean(middle)
    )
    heads = [A for (layer, _), pair in matrices.items() if layer == 1 for A in pair]
    profiles = np.mean([profile(A) for A in heads], axis=0)
    for cut, value in enumerate(profiles):
        where = part_name(matrix="attention", layer=1)
        assert found["entanglement_entropy", where, cut, "default"] == pytest.approx(value)
    head = part_name(matrix="attention", layer=0, head=2)
    expected = np.mean([profile(A)[4] for A in matrices[0, 2]])
    assert found["entanglement_entropy", head, None, "default"] == pytest.approx(expected)
    laws = {scope: found["entropy_fit_aic", part_name(matrix="attention", scope=scope), None, "default"] for scope in
            ("constant", "logarithmic", "linear")}  # fmt: skip
    assert all(value is not None for value in laws.values())
