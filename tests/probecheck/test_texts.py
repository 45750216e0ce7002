"""Counting words and n-grams agrees with scikit-learn and with brute force."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from repro.manifest.probes import load_probe_set
from repro.probecheck import texts
from repro.probecheck.texts import FUNCTION_WORDS, MASK

TEXTS = load_probe_set("factorial_48").texts()


def test_the_bag_of_words_is_scikit_learns_with_the_logarithm_taken() -> None:
    theirs = (
        CountVectorizer(token_pattern=r"[^\W_]+(?:['’][^\W_]+)*").fit_transform(TEXTS).toarray()
    )
    ours = texts.bag_of_words(TEXTS)
    assert ours.shape == theirs.shape
    assert np.allclose(ours, np.log1p(theirs))


def test_character_ngrams_are_scikit_learns_of_those_that_two_texts_share() -> None:
    flat = [" ".join(text.casefold().split()) for text in TEXTS]
    theirs = CountVectorizer(analyzer="char", ngram_range=(2, 4), min_df=2, lowercase=False)
    assert np.allclose(
        texts.character_ngrams(TEXTS), np.log1p(theirs.fit_transform(flat).toarray())
    )


def test_the_two_masks_keep_the_length_and_share_no_word() -> None:
    kept = [set(texts.words(text)) for text in TEXTS]
    grammar, topic = texts.function_words_only(TEXTS), texts.content_words_only(TEXTS)
    lengths = [len(texts.words(text)) for text in TEXTS]
    assert np.allclose(np.expm1(grammar).sum(axis=1), lengths)
    assert np.allclose(np.expm1(topic).sum(axis=1), lengths)
    everything = set().union(*kept)
    assert grammar.shape[1] == len(everything & FUNCTION_WORDS) + 1
    assert topic.shape[1] == len(everything - FUNCTION_WORDS) + 1
    assert MASK not in everything


def test_the_closest_pair_is_the_one_brute_force_finds() -> None:
    texts_ = ["a b c d e", "x a b c d", "p q r s t", "a b c d e f"]

    def grams(text: str) -> set[str]:
        found = text.split()
        return {" ".join(found[i : i + 3]) for i in range(len(found) - 2)}

    expected = max(
        (len(grams(u) & grams(v)) / len(grams(u) | grams(v)), i, j)
        for i, u in enumerate(texts_)
        for j, v in enumerate(texts_)
        if i < j
    )
    assert texts.closest_pair(texts_) == expected
    assert expected == (0.75, 0, 3)


def test_texts_too_short_for_a_trigram_are_not_called_duplicates() -> None:
    assert texts.closest_pair(["a b", "a b", "c"])[0] == 0.0


def test_label_words_are_whole_words_unless_a_star_says_otherwise() -> None:
    text = "The Encoder decodes a code's coded CODES, because formaldehyde is informal"
    assert texts.occurrences(text, ["code", "codes"]) == ["codes"]
    assert texts.occurrences(text, ["formal*", "cause*"]) == ["formaldehyde"]
    assert texts.occurrences(text, []) == []


@given(st.text())
def test_any_text_has_words_without_spaces_in_lower_case(text: str) -> None:
    for word in texts.words(text):
        assert word
        assert not re.search(r"\s", word)
        assert word == word.casefold().replace("’", "'")
