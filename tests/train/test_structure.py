"""What the worker counts without weights: the published counts of the real checkpoints, and the
papers' structural numbers.
"""

from functools import cache

import pytest

from repro.manifest.adapters import BlockDiagonal, Full, Lora
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.plan.structure import Structure
from repro.train.structure import structure


@cache
def built(name: str) -> Structure:
    """The record under the papers' protocol."""
    return structure(load_models()[name], Training())


@pytest.mark.parametrize(
    ("model", "count"),
    [
        ("qwen2.5-coder-7b", 7_615_616_512),
        ("qwen2.5-coder-14b", 14_770_033_664),
        ("qwen2.5-coder-32b", 32_763_876_352),
        ("mistral-7b-v0.3", 7_248_023_552),
        ("deepseek-coder-6.7b", 6_740_512_768),
        ("codellama-7b", 6_738_546_688),
        ("llama-3.1-8b", 8_030_261_248),
        ("llama-3.2-1b", 1_235_814_400),
    ],
)
def test_parameters_are_those_of_the_published_checkpoints(model: str, count: int) -> None:
    assert built(model).parameters == count


def test_the_32b_model_has_the_896_matrices_the_paper_counts() -> None:
    """64 blocks × 7 modules × 2, each of rank 64; and a smaller model has fewer."""
    adapter = built("qwen2.5-coder-32b").adapter
    assert (adapter.matrices, adapter.parameters) == (896, 536_870_912)
    assert set(adapter.modules.values()) == {64}
    assert sum(adapter.shapes.values()) == 896
    assert built("qwen2.5-coder-7b").adapter.matrices == 392


def test_attention_is_read_off_the_real_blocks() -> None:
    """Mistral shares keys among heads, CodeLlama does not; the window of the family's default is
    not in v0.3.
    """
    assert built("mistral-7b-v0.3").grouped_query_attention
    assert not built("codellama-7b").grouped_query_attention
    assert built("mistral-7b-v0.3").sliding_window is None
    assert built("tiny-mistral").sliding_window == 4096, "a window is seen where there is one"
    assert built("qwen2.5-coder-32b").sliding_window is None


def test_a_target_that_is_not_there_is_named() -> None:
    """peft passes over it in silence when another target matches."""
    tiny = load_models()["tiny-llama"]
    found = structure(tiny, Training(lora=Lora(targets=("q_proj", "query"))))
    assert found.absent == ("query",)
    assert found.adapter.matrices == 4
    assert structure(tiny, Training(lora=Lora(targets=("query",)))).adapter.parameters == 0
    assert built("tiny-llama").absent == ()


def test_full_fine_tuning_trains_everything() -> None:
    tiny = load_models()["tiny-qwen2"]
    found = structure(tiny, Training(adapter=Full()))
    assert found.adapter.parameters == found.parameters
    assert found.absent == ()


def test_a_block_diagonal_adapter_is_counted_from_the_sizes_of_its_groups() -> None:
    """Groups of 2 and 3 directions with ranks 2 and 2: A has 4 rows, the blocks of B have 2×2 and
    3×2 entries.
    """
    tiny = load_models()["tiny-qwen2"]
    shape = tiny.architecture
    adapter = BlockDiagonal(grouping="isolated", rank=2)
    found = structure(tiny, Training(adapter=adapter), (2, 3)).adapter
    a = 4 * (shape.hidden + shape.intermediate)
    assert found.parameters == shape.layers * (a + 2 * (2 * 2 + 3 * 2))
    assert found.modules == {"o_proj": shape.layers, "down_proj": shape.layers}
    assert found.matrices == shape.layers * 2 * 3
