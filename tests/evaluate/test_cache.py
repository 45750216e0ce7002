"""A cache of keys and values that grows in steps: what is read from it is what was put into it."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.cache_utils import DynamicCache

from repro.evaluate.cache import STEP, new_cache

HEADS, WIDTH = 2, 3


@given(
    st.integers(1, 4),
    st.lists(st.integers(1, STEP + 5), min_size=1, max_size=5),
    st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_it_gives_what_the_librarys_own_gives(
    rows: int, lengths: list[int], dtype: torch.dtype
) -> None:
    """The oracle copies all tokens at every step; two layers, and across the ends of steps."""
    own, theirs = new_cache(), DynamicCache()
    generator = torch.Generator().manual_seed(0)
    for tokens in lengths:
        for layer in range(2):
            shape = (rows, HEADS, tokens, WIDTH)
            keys, values = (torch.randn(shape, generator=generator).to(dtype) for _ in range(2))
            found, wanted = (cache.update(keys, values, layer) for cache in (own, theirs))
            assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))
        assert own.get_seq_length() == theirs.get_seq_length() == own.layers[1].keys.shape[-2]


def test_rows_that_are_kept_stay_as_they_were_and_go_on() -> None:
    """Any rows in any order, before and after its room grows."""
    own, theirs = new_cache(), DynamicCache()
    for tokens, kept in ((STEP - 1, [2, 0]), (3, [1]), (STEP, [0])):
        rows = own.layers[0].keys.shape[0] if own.layers else 3
        keys, values = (torch.randn(rows, HEADS, tokens, WIDTH) for _ in range(2))
        for cache in (own, theirs):
            cache.update(keys, values, 0)
            cache.batch_select_indices(torch.tensor(kept))
        assert torch.equal(own.layers[0].keys, theirs.layers[0].keys)
        assert torch.equal(own.layers[0].values, theirs.layers[0].values)


def test_tokens_are_not_copied_until_a_step_is_full() -> None:
    cache = new_cache()
    places = []
    for _ in range(STEP + 1):
        keys, _ = cache.update(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), 0)
        places.append(keys.data_ptr())
    assert len(set(places[:STEP])) == 1
    assert places[STEP] != places[0]
