"""Texts of a source are selected by rules alone, whatever order its records have."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.fetch.selection import Selection, admitted_texts, excerpt, selected_text
from repro.manifest.probes import ProbeLimits
from repro.manifest.recipe import Recipe, RecipeSource

SOURCE = RecipeSource(
    labels={"domain": "code"}, repository="o/n", file="a.jsonl", fields=("text",), licence="none"
)
RULES = Recipe(
    lengths=(10, 20),
    tolerance=1,
    sources=(SOURCE, SOURCE.model_copy(update={"labels": {"domain": "math"}})),
)


def invented(seed: str) -> str:
    """Two sentences of five words nobody uses."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefgh", k=7)) for _ in range(10)]
    return ". ".join(" ".join(words[at : at + 5]).capitalize() for at in (0, 5)) + "."


def test_an_excerpt_is_whole_sentences_of_about_that_length_or_nothing() -> None:
    text = "One two three four five. Six seven eight nine ten! Eleven twelve"
    assert excerpt(text, 10, 1) == "One two three four five. Six seven eight nine ten!"
    assert excerpt(text, 5, 0) == "One two three four five."
    assert excerpt(text, 12, 1) is None, "its end is no sentence's end"
    assert excerpt(text, 7, 1) is None


def test_label_words_openings_and_near_copies_are_passed_over() -> None:
    plain, other = (invented(name) for name in "ab")
    labelled = plain.replace(plain.split()[4], "software", 1)
    copy = " ".join(["Again", *plain.split()[1:]])
    texts = [labelled, plain, copy, other]
    limits = ProbeLimits(openings=3, jaccard=0.4)
    assert Selection(RULES.model_copy(update={"lengths": (10, 10)}), limits, ["software"]).take(
        texts
    ) == [plain, other]
    free = Selection(RULES.model_copy(update={"lengths": (10, 10)}), ProbeLimits(), [])
    assert free.take(texts) == [labelled, plain], (
        "the control: without limits the first two are taken"
    )


def test_rules_of_a_source_keep_drop_and_replace() -> None:
    source = SOURCE.model_copy(
        update={"keep": r"\bkept\b", "drop": "http", "replace": {r"\[\d+\]": "", "<.>": " "}}
    )
    texts = [
        selected_text({"text": text}, source)
        for text in ("kept[1] <b>  this", "kept http", "other", "kept[1] <b>  this")
    ]
    assert admitted_texts(texts, source) == ["kept this"]
    assert selected_text({"title": "no such field"}, source) == ""


@given(st.lists(st.sampled_from(["one", "two.", "three!", "four?", "v1.2"]), max_size=20),
       st.integers(1, 9), st.integers(0, 3))  # fmt: skip
def test_an_excerpt_is_the_first_beginning_that_ends_a_sentence_at_the_length(
    given: list[str], length: int, tolerance: int
) -> None:
    """By trying every number of words."""
    fits = (
        count
        for count in range(1, len(given) + 1)
        if abs(count - length) <= tolerance and given[count - 1][-1] in ".!?"
    )
    expected = next((" ".join(given[:count]) for count in fits), None)
    assert excerpt(" ".join(given), length, tolerance) == expected


@given(st.lists(st.text("ab c", max_size=4), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_records_decides_nothing(texts: list[str], order: random.Random) -> None:
    source = SOURCE.model_copy(update={"keep": "a", "drop": "bb"})
    admitted = admitted_texts(texts, source)
    order.shuffle(texts)
    assert admitted_texts(texts, source) == admitted
    assert set(admitted) == {text for text in texts if "a" in text and "bb" not in text}
    assert len(admitted) == len(set(admitted))


@pytest.mark.parametrize(
    ("record", "fields", "text"),
    [
        ({"a": {"b": "x"}, "c": " y\n z"}, ("a.b", "c"), "x y z"),
        ({"a": [{"b": "x"}, {"b": "y"}, {"d": "z"}]}, ("a.b",), "x y"),
        ({"a": "x"}, ("a.b",), ""),
        ({"a": 3, "b": None}, ("a", "b"), ""),
    ],
)
def test_a_field_is_found_by_its_path_through_lists(
    record: dict[str, object], fields: tuple[str, ...], text: str
) -> None:
    assert selected_text(record, SOURCE.model_copy(update={"fields": fields})) == text


def test_a_source_that_runs_out_gives_fewer_and_no_text_twice() -> None:
    rules = RULES.model_copy(update={"lengths": (10, 10, 10)})
    texts = [invented(name) for name in "ab"]
    selection = Selection(rules, ProbeLimits(openings=2), [])
    assert selection.take(texts) == texts
    assert selection.take(texts) == [], "their openings were taken by another source"
