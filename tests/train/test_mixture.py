"""Which text is trained on when."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.errors import InputError
from repro.manifest.training import Phase
from repro.train.mixture import exact_counts, order, order_by_tokens, split

TEXTS = {
    "code": [[f"code a {i}" for i in range(7)], [f"code b {i}" for i in range(5)]],
    "math": [[f"math {i}" for i in range(4)]],
}


@given(st.integers(1, 40), st.integers(1, 32), st.floats(0.05, 0.95))
def test_every_phase_holds_its_shares_to_less_than_one_example(
    steps: int, per_step: int, share: float
) -> None:
    phase = Phase(steps=steps, mixture={"code": share, "math": 1 - share})
    drawn = Counter(domain for domain, _ in order([phase], TEXTS, per_step, 0))
    assert drawn.total() == steps * per_step
    assert abs(drawn["code"] - share * steps * per_step) < 1


def test_seventy_thirty_of_five_thousand_steps_is_exact() -> None:
    assert exact_counts({"code": 0.7, "math": 0.3}, 80_000) == {"code": 56_000, "math": 24_000}


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_the_seed_alone_fixes_the_order(seed: int) -> None:
    phase = Phase(steps=5, mixture={"code": 0.7, "math": 0.3})
    first = order([phase], TEXTS, 8, seed)
    assert first == order([phase], dict(reversed(TEXTS.items())), 8, seed)
    assert first != order([phase], TEXTS, 8, seed + 1)


def test_sources_of_a_domain_take_turns_and_are_used_up_before_any_text_returns() -> None:
    phase = Phase(steps=1, mixture={"code": 1.0})
    drawn = [text for _, text in order([phase], TEXTS, 10, 3)]
    assert Counter(text.split()[1] for text in drawn) == {"a": 5, "b": 5}
    assert len(set(drawn)) == 10


def test_phases_follow_each_other() -> None:
    phases = [Phase(steps=2, mixture={"math": 1.0}), Phase(steps=3, mixture={"code": 1.0})]
    domains = [domain for domain, _ in order(phases, TEXTS, 4, 0)]
    assert domains == ["math"] * 8 + ["code"] * 12


LENGTHS = {"code": 90, "math": 11}
"""Tokens of the texts of a domain, so different that shares of texts and of tokens differ."""


def length(text: str) -> int:
    """Longer for some texts of a domain than for others."""
    return LENGTHS[text.split()[0]] + 3 * int(text.split()[-1])


@given(st.integers(1, 30), st.floats(0.1, 0.9), st.integers(0, 1000))
def test_shares_by_tokens_hold_at_every_point_to_within_the_longest_text(
    steps: int, share: float, seed: int
) -> None:
    phase = Phase(steps=steps, mixture={"code": share, "math": 1 - share})
    taken = {"code": 0, "math": 0}
    for domain, text in order_by_tokens([phase], TEXTS, 8, seed, length):
        taken[domain] += length(text)
        assert abs(taken["code"] - share * sum(taken.values())) <= 90 + 3 * 6


def test_shares_by_tokens_are_not_shares_by_examples() -> None:
    phase = Phase(steps=50, mixture={"code": 0.7, "math": 0.3})
    drawn = Counter(domain for domain, _ in order_by_tokens([phase], TEXTS, 8, 0, length))
    assert drawn["math"] > drawn["code"], "math texts are short: more of them make up the share"


def test_the_seed_alone_fixes_the_order_by_tokens() -> None:
    phase = Phase(steps=5, mixture={"code": 0.7, "math": 0.3})
    first = order_by_tokens([phase], TEXTS, 8, 0, length)
    assert first == order_by_tokens([phase], dict(reversed(TEXTS.items())), 8, 0, length)
    assert first != order_by_tokens([phase], TEXTS, 8, 1, length)


@given(st.integers(0, 12), st.integers(40, 200))
def test_held_out_texts_are_never_trained_on(heldout: int, count: int) -> None:
    texts = [f"text {i}" for i in range(count)]
    trained, held = split("mine", texts, heldout)
    assert len(held) == heldout
    assert sorted(trained + held) == sorted(texts)


@pytest.mark.parametrize("heldout", [0, 1])
def test_a_source_whose_only_text_is_held_out_is_refused_in_one_line(heldout: int) -> None:
    trained, _ = split("mine", ["the only text"], heldout)
    phases, texts = [Phase(steps=2, mixture={"code": 1.0})], {"code": [trained]}
    if heldout == 0:
        assert order(phases, texts, 1, 0) == [("code", "the only text")] * 2
        return
    for draw in (order, lambda *given: order_by_tokens(*given, len)):
        with pytest.raises(
            InputError,
            match=r"^domain code: found a source with no text left to train on.*heldout`$",
        ):
            draw(phases, texts, 1, 0)


@given(st.integers(1, 60), st.integers(0, 60))
def test_as_many_texts_are_held_out_as_were_asked_for_or_none_is_trained_on(
    count: int, heldout: int
) -> None:
    texts = [f"text {number}" for number in range(count)]
    if heldout <= (count + 1) // 2:
        assert len(split("mine", texts, heldout)[1]) == heldout
        return
    expected = (
        rf"^data mine: found {count} texts, .* at the most \({(count + 1) // 2}\), expected "
        rf"{heldout} held out; lower"
    )
    with pytest.raises(InputError, match=expected):
        split("mine", texts, heldout)
