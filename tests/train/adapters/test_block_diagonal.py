"""Block-diagonal updates write along given directions, group by group."""

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import LlamaConfig, LlamaForCausalLM

from repro.train.adapters.block_diagonal import Group
from repro.train.adapters.keep import as_lora
from repro.train.adapters.place import adapt
from repro.train.model import trainable
from tests.train.adapters.tiny import WIDTH, adapted, disturbed, groups, outputs, protocol, updates


@pytest.mark.parametrize("quantisation", ["none", "nf4"])
@pytest.mark.parametrize("grouping", ["aligned", "isolated"])
def test_block_diagonal_updates_write_along_the_directions_only(
    tiny_llama: Path, grouping: str, quantisation: str
) -> None:
    model = disturbed(adapted(tiny_llama, grouping, quantisation))
    basis = torch.cat([group.directions for group in groups(grouping)], dim=1)
    found = updates(model)
    assert {name.rsplit(".", 1)[-1] for name in found} == {"o_proj", "down_proj"}
    assert len(found) == 4
    for update in found.values():
        outside = update - basis @ (basis.T @ update)
        assert outside.abs().max() < 1e-5 * update.abs().max()
        assert update.abs().max() > 1e-3
    plain = next(iter(updates(disturbed(adapted(tiny_llama, "lora"))).values()))
    assert (plain - basis @ (basis.T @ plain)).abs().max() > 0.1 * plain.abs().max()


def test_an_adapter_can_be_counted_without_weights() -> None:
    """On the meta device, with groups that only have a size."""
    with torch.device("meta"):
        config = LlamaConfig(
            hidden_size=WIDTH, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4
        )
        chosen = [Group((name,), torch.empty(WIDTH, 3)) for name in ("domain", "register")]
        model = adapt(LlamaForCausalLM(config), protocol("isolated"), 0, chosen)
    shapes = sorted(tuple(value.shape) for value in trainable(model).values())
    assert shapes == sorted(2 * [(4, 64), (4, 96), *4 * [(3, 2)]])


def test_a_group_of_low_rank_couples_its_directions_and_leaves_the_others_alone(
    tiny_llama: Path,
) -> None:
    for grouping in ("aligned", "isolated"):
        update = next(iter(updates(disturbed(adapted(tiny_llama, grouping, rank=1))).values()))
        for group in groups(grouping):
            assert int(torch.linalg.matrix_rank(group.directions.T @ update, rtol=1e-4)) == 1
        assert int(torch.linalg.matrix_rank(update, rtol=1e-4)) == len(groups(grouping))


def test_aligned_and_isolated_differ_below_the_groups_sizes_and_span_the_same_above(
    tiny_llama: Path,
) -> None:
    """At rank 2 the joined five directions share two rows; at rank 5 both reach all eight."""
    ranks = {
        (grouping, rank): int(
            torch.linalg.matrix_rank(
                next(iter(updates(disturbed(adapted(tiny_llama, grouping, rank=rank))).values())),
                rtol=1e-4,
            )
        )
        for grouping in ("aligned", "isolated")
        for rank in (2, 5)
    }
    assert ranks == {("aligned", 2): 4, ("isolated", 2): 6, ("aligned", 5): 8, ("isolated", 5): 8}
    first, second = (
        disturbed(adapted(tiny_llama, grouping)) for grouping in ("aligned", "isolated")
    )
    assert not torch.equal(outputs(first), outputs(second))


def test_the_scale_of_an_update_is_alpha_over_the_rank_asked_for(tiny_llama: Path) -> None:
    model = disturbed(adapted(tiny_llama, "isolated"))
    assert isinstance(model, PeftModel)
    saved = as_lora(model)
    for name, update in updates(model).items():
        A, B = (saved[f"{name}.lora_{part}.weight"] for part in "AB")
        torch.testing.assert_close(update, 2.0 * B @ A, rtol=1e-5, atol=1e-7)
