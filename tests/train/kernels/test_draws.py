"""Dropout by counter: published vectors, and the same masks whatever shares a pass."""

import pytest
import torch

from repro.manifest.training import Training
from repro.train.batches import group
from repro.train.fused import BITS, kept_share
from repro.train.kernels.draws import Draws, counted, draws_of, philox
from repro.train.packed import Packed

SEQUENCES = [[*range(length)] for length in (3, 40, 7, 1, 25, 16)]
RATE = 0.3
THRESHOLD = round(RATE * 2**BITS)


def some(rows: int = 600, seed: int = 2**62 + 12345) -> Draws:
    """Rows of two sequences."""
    numbers = torch.arange(rows, dtype=torch.int32)
    return Draws(seed, numbers // 300, numbers % 300)


def test_words_are_those_of_the_published_vectors() -> None:
    """Random123 1.09, kat_vectors: philox4x32 10."""
    for seed, counter, expected in (
        (0, 0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (2**64 - 1, 2**32 - 1, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ):
        words = philox(seed, *[torch.tensor([counter])] * 4)
        assert [int(word) for word in words] == expected


def test_a_mask_keeps_its_share_of_independent_entries() -> None:
    ones, others = counted(some(), 3, 500, THRESHOLD), counted(some(), 4, 500, THRESHOLD)
    spread = (RATE * (1 - RATE) / ones.numel()) ** 0.5
    assert abs(float(ones.float().mean()) - kept_share(RATE)) < 5 * spread
    both = float((ones & others).float().mean())
    assert abs(both - (1 - RATE) ** 2) < 10 * spread, "another module's draws are its own"
    for axis in (0, 1):
        means, count = ones.float().mean(axis), ones.shape[axis]
        assert float((means - (1 - RATE)).abs().max()) < 5.5 * (RATE * (1 - RATE) / count) ** 0.5
    for shift in (1, 2, 8):
        beside = float((ones[:, shift:] & ones[:, :-shift]).float().mean())
        assert abs(beside - (1 - RATE) ** 2) < 10 * spread, f"neighbours at {shift}"


def test_a_mask_follows_from_seed_module_sequence_and_position_alone() -> None:
    first = counted(some(), 3, 500, THRESHOLD)
    assert torch.equal(first, counted(some(), 3, 500, THRESHOLD))
    assert torch.equal(first[:, :77], counted(some(), 3, 77, THRESHOLD)), "channels stay in place"
    assert not torch.equal(first, counted(some(seed=1), 3, 500, THRESHOLD))
    assert not torch.equal(first[:300], first[300:]), "another sequence has its own"


@pytest.mark.parametrize("packing", ["padded", "packed"])
@pytest.mark.parametrize("tokens", [1, 64, 4096])
def test_rows_are_told_where_they_stand_in_every_layout(packing: str, tokens: int) -> None:
    training = Training.model_validate({"packing": packing, "tokens_per_forward": tokens})
    batches, draws = group(SEQUENCES, training), draws_of(SEQUENCES, training, 9)
    assert len(batches) == len(draws)
    seen = 0
    for batch, told in zip(batches, draws, strict=True):
        ids = batch.ids.flatten()
        assert len(ids) == len(told.sequence)
        real = (
            torch.ones(len(ids), dtype=torch.bool)
            if isinstance(batch, Packed)
            else batch.mask.flatten().bool()
        )
        assert torch.equal(ids[real], told.position[real].long()), "a token is its position here"
        for number in told.sequence.unique().tolist():
            mine = real & (told.sequence == number)
            assert int(mine.sum()) == len(SEQUENCES[number])
            seen += 1
    assert seen == len(SEQUENCES) - (tokens == 1), "a sequence of one token alone has no pass"
