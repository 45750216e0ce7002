"""What a record of an architecture says of itself: shared keys, and targets that are not there."""

import pytest
from pydantic import ValidationError

from repro.plan.structure import BuiltAdapter, Structure


def built(heads: int, kv_heads: int, modules: dict[str, int]) -> Structure:
    """A decoder of two blocks with these heads and adapted modules."""
    adapter = BuiltAdapter(modules=modules, matrices=4, parameters=8, shapes={"2×2": 2})
    return Structure(
        parameters=100,
        linear_parameters=80,
        hidden_size=8,
        layers=2,
        heads=heads,
        kv_heads=kv_heads,
        head_size=2,
        sliding_window=None,
        adapter=adapter,
    )


@pytest.mark.parametrize(("heads", "kv_heads", "shares"), [(4, 2, True), (4, 4, False)])
def test_fewer_key_heads_than_query_heads_are_shared(
    heads: int, kv_heads: int, shares: bool
) -> None:
    assert built(heads, kv_heads, {}).grouped_query_attention is shares


def test_a_target_is_absent_that_is_not_in_every_block() -> None:
    assert built(4, 4, {"q_proj": 2, "v_proj": 1, "query": 0}).absent == ("v_proj", "query")
    assert built(4, 4, {"q_proj": 2}).absent == ()
    assert built(4, 4, {}).absent == (), "the model itself is trained"


def test_a_record_with_a_field_that_is_not_known_is_refused() -> None:
    record = built(4, 4, {}).model_dump()
    assert Structure.model_validate(record) == built(4, 4, {})
    with pytest.raises(ValidationError, match="rotary"):
        Structure.model_validate({**record, "rotary": 1})
