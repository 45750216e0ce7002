"""Which sequences share a forward pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import InputError
from repro.manifest.training import Training
from repro.train.batches import Batch, check_predicting, group, pad


def padded(sequences: list[list[int]], bound: int) -> list[Batch]:
    """The padded passes of one step."""
    found = group(sequences, Training(tokens_per_forward=bound))
    return [batch for batch in found if isinstance(batch, Batch)]


LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=40)


@given(LENGTHS)
def test_padding_is_counted(lengths: list[int]) -> None:
    assert Training().computed(lengths) == pad([[0] * n for n in lengths]).ids.numel()


@given(st.lists(st.integers(2, 60), min_size=1, max_size=40), st.integers(1, 300))
def test_grouping_keeps_every_token_and_counts_its_targets(lengths: list[int], bound: int) -> None:
    sequences = [
        [100 * row + place for place in range(length)] for row, length in enumerate(lengths)
    ]
    batches = padded(sequences, bound)
    held = [
        ids[mask.bool()].tolist()
        for batch in batches
        for ids, mask in zip(batch.ids, batch.mask, strict=True)
    ]
    assert sorted(held) == sorted(sequences)
    assert sum(batch.targets for batch in batches) == sum(lengths) - len(lengths)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 9))
def test_no_pass_is_without_a_predicted_token_and_none_is_lost(
    lengths: list[int], bound: int
) -> None:
    sequences = [[7] * length for length in lengths]
    for packing in ("padded", "packed"):
        training = Training(tokens_per_forward=bound, packing=packing)
        batches = group(sequences, training)
        assert all(batch.targets for batch in batches)
        assert sum(batch.targets for batch in batches) == sum(
            length - 1 for length in lengths if length
        )


def test_texts_of_which_no_token_is_predicted_are_refused_in_one_line() -> None:
    expected = (
        r"^step 3: found no text of two tokens or more among 2, .*; bring longer texts, or "
        r"set `append_eos: true`"
    )
    with pytest.raises(InputError, match=expected):
        check_predicting([[5], []], "step 3")
    check_predicting([[5], [5, 6]], "step 3")


def test_padding_is_on_the_right_and_masked_whatever_its_id() -> None:
    batch = pad([[5, 6, 7], [8]], filler=7)
    assert batch.ids.tolist() == [[5, 6, 7], [8, 7, 7]]
    assert batch.mask.tolist() == [[1, 1, 1], [1, 0, 0]]
