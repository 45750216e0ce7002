"""Each kind of adapter counts what it trains, from the shape of the model alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from repro.manifest.adapters import ALL_LINEAR, BlockDiagonal, Full, Lora, Mps, sites
from repro.manifest.model import Architecture

SHAPE = Architecture(
    family="llama", hidden=12, layers=2, heads=3, kv_heads=1, intermediate=20, vocabulary=7
)
"""Its projections: 12 × 12 (q, o), 12 × 4 (k, v), 12 × 20 (gate, up), 20 × 12 (down)."""


def test_the_papers_example_has_its_printed_number_of_parameters() -> None:
    assert Mps(rank=256, bond=32).of_module(4096, 4096) == 1_574_912
    assert sites(4096) == (64, 64)


@given(some.integers(1, 20_000))
def test_sites_are_the_divisors_nearest_to_one_another(width: int) -> None:
    first, second = sites(width)
    assert first * second == width
    assert first <= second
    assert not any(width % between == 0 for between in range(first + 1, second))


def test_lora_counts_a_and_b_on_every_target_of_every_block() -> None:
    """rank · (in + out): q 24, o 24, k and v 16, gate, up and down 32."""
    assert Lora(rank=3, alpha=1).parameters(SHAPE) == 2 * 3 * (24 + 24 + 2 * 16 + 3 * 32)
    assert Lora(rank=3, alpha=1, targets=("k_proj",)).parameters(SHAPE) == 2 * 3 * 16
    assert Lora(rank=3).ranks == dict.fromkeys(ALL_LINEAR, 3)


def test_an_mps_counts_two_cores_and_b() -> None:
    """As arrays: cores of rank × d1 × bond and bond × d2, B of out × rank, with 12 = 3 · 4."""
    first, second, b = np.empty((5, 3, 2)), np.empty((2, 4)), np.empty((4, 5))
    counted = Mps(rank=5, bond=2, targets=("k_proj", "v_proj")).parameters(SHAPE)
    assert counted == 2 * 2 * (first.size + second.size + b.size)


def test_a_block_diagonal_adapter_has_at_most_a_rank_for_each_direction() -> None:
    """Three concepts of rank 2 make 6 rows; of rank 9 they make the 11 directions there are."""
    few, many = (BlockDiagonal(grouping="isolated", rank=rank) for rank in (2, 9))
    assert few.ranks == {"o_proj": 6, "down_proj": 6}
    assert many.ranks == {"o_proj": 11, "down_proj": 11}
    assert few.parameters(SHAPE) == 2 * (6 * 12 + 11 * 2 + 6 * 20 + 11 * 2)


def test_full_training_counts_every_parameter_and_adapts_no_module() -> None:
    assert Full().parameters(SHAPE) == SHAPE.parameters
    assert (Full().ranks, Full().base_is_frozen) == ({}, False)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rank": 0}, "greater than 0"),
        ({"rank": 1 << 31}, "less than or equal to 1073741824"),
        ({"alpha": 0}, "greater than 0"),
        ({"dropout": 1}, "less than 1"),
        ({"targets": ()}, "at least 1 item"),
    ],
)
def test_an_adapter_that_could_train_nothing_is_refused(
    fields: dict[str, object], words: str
) -> None:
    for kind in (Lora, Mps):
        with pytest.raises(ValidationError, match=words):
            kind.model_validate(fields)
