"""What is sent comes back as the same plain data, and nothing that is sent can be more than that."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from repro.score.inside import encode
from repro.score.values import Opaque, decode, largest_unordered

keys = (
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(allow_nan=False)
)
plain = st.recursive(
    keys | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.sets(keys)
        | st.frozensets(keys)
        | st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=16, max_size=40)
    ),
    max_leaves=20,
)


@given(plain)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    found = decode(encode(value), largest_unordered(value))
    assert repr(found.value) == repr(value) or found.value == value
    assert type(found.value) is type(value)
    assert found.exact


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_whatever_is_sent_is_decoded_or_equals_nothing(data: bytes) -> None:
    value = decode(data, 10).value
    assert (
        value == value
        or isinstance(value, Opaque)
        or "nan" in repr(value)
        or "Opaque" in repr(value)
    )


def test_what_is_larger_than_expected_is_not_built() -> None:
    """Keys that collide would take minutes; a dict of another size cannot be equal."""
    data = encode({number * (2**61 - 1): 0 for number in range(3)})
    assert isinstance(decode(data, 2).value, Opaque)
    assert decode(data, 3).value == {0: 0, 2**61 - 1: 0, 2 * (2**61 - 1): 0}


def test_nested_without_end_and_nonsense_equal_nothing() -> None:
    for data in (
        b"[" * 100_000,
        b'{"i":"z"}',
        b'{"F":"AAA="}',
        b'{"t":1}',
        b'{"q":["0x1","0x0"]}',
        b'{"x":1}',
        b'{"a":1,"b":2}',
    ):
        assert isinstance(decode(data, 5).value, Opaque)
    assert Opaque() != Opaque()
