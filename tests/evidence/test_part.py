"""A part of a measurement has one name, from which its keys are read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.evidence.part import KEYS, part_keys, part_name

VALUES = st.integers(0, 99) | st.text("abc_.-", min_size=1)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1))
def test_what_a_name_was_made_of_is_read_back_whatever_the_order(given: dict[str, object]) -> None:
    name = part_name(**given)
    assert name == part_name(**dict(reversed(given.items())))
    assert part_keys(name) == {key: str(value) for key, value in given.items()}


def test_a_name_lists_its_keys_in_the_fixed_order() -> None:
    assert part_name(layer=3, module="q_proj", matrix="update") == (
        "matrix=update,module=q_proj,layer=3"
    )
    assert part_name() == ""


@pytest.mark.parametrize("name", ["", "code", "code,math", "matrix=update,code", "colour=red", "="])
def test_a_plain_concept_has_no_keys(name: str) -> None:
    assert part_keys(name) == {}


def test_a_key_that_tells_no_part_is_refused() -> None:
    with pytest.raises(TypeError, match="no part is told by colour"):
        part_name(layer=1, colour="red")
