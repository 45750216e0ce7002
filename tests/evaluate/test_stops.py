"""Where a completion ends, and in which form a prompt is given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.evaluate.stops import STOPS, TAIL, cut, prompt_of, stops


@pytest.mark.parametrize("stop", STOPS)
def test_every_stop_sequence_ends_a_completion(stop: str) -> None:
    assert stops(f"    return 1{stop}x")
    assert cut(f"\treturn 1{stop}x") == "    return 1"
    assert cut("    return 1\n") == "    return 1\n"


@given(st.lists(st.sampled_from([*STOPS, "x", "\n", " ", "def f"]), max_size=8).map("".join))
def test_what_is_left_holds_no_stop_and_nothing_before_the_first_is_lost(text: str) -> None:
    """By trying every length: the longest beginning that ends before any stop begins."""
    first = next((at for at in range(len(text) + 1) if text.startswith(STOPS, at)), len(text))
    assert cut(text) == text[:first]
    assert stops(text) is (first < len(text))


def test_a_stop_of_any_tokens_is_seen_among_the_last() -> None:
    """A token has at least a byte."""
    assert max(len(stop.encode()) for stop in STOPS) <= TAIL


@pytest.mark.parametrize(
    "text", ["def f():\n    pass\n", "\n\n  def f():\n    pass", "def f():\n    pass"]
)
def test_a_prompt_ends_with_one_newline(text: str) -> None:
    assert prompt_of(text) == "def f():\n    pass\n"
