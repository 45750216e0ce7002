"""No held-out token sequence is trained on, and no text is lost that need not be."""

import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from transformers import PreTrainedTokenizerBase

from repro.manifest.training import Training
from repro.train.batches import tokenise
from repro.train.leaks import HeldOut

WORDS = [
    *(
        "alpha",
        "beta",
        "",
        "gamma\tdelta",
        "x",
        "=",
        "1",
        "café",
        "CAFÉ",
        "naïve",
        "ﬁne",
        "漢字",
        "🙂",
    ),
    *("\n\n", "", "", "return", "<s>", "</s>", ",", ";", "12", "1.0"),
]
CORPORA = 200


def near(text: str, random_: random.Random) -> str:
    """A text that is almost another: what leaks in practice."""
    import unicodedata

    way = random_.randrange(8)
    cut = random_.randrange(len(text) + 1)
    return [
        text,
        text + " ",
        " " + text,
        text + "\n" + random_.choice(WORDS),
        text[:cut],
        text[:cut] + random_.choice(WORDS),
        unicodedata.normalize(random_.choice(["NFD", "NFKC"]), text),
        text.upper(),
    ][way]


def corpus(seed: int) -> tuple[list[str], list[str]]:
    """(held-out texts, texts to train on), the second full of near-duplicates of the first."""
    random_ = random.Random(seed)
    texts = [" ".join(random_.choices(WORDS, k=random_.randrange(1, 30))) for _ in range(12)]
    held = texts[:5]
    trained = (
        texts[5:]
        + [near(random_.choice(held), random_) for _ in range(25)]
        + ["", " ", "<s>", "\n\n"]
    )
    return held, trained


@pytest.mark.parametrize("family", ["qwen", "mistral", "codellama"])
def test_what_is_held_out_is_trained_on_nowhere_and_nothing_else_is_lost(
    family: str, helper: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """Against the plain way of it: tokenise everything and compare. Two hundred corpora, cut short
    and long.
    """
    tokenizer: PreTrainedTokenizerBase = helper("train/families.py").tokenizer_of(family, tmp_path)
    leaks = others = 0
    for seed in range(CORPORA):
        held, trained = corpus(seed)
        protocol = Training(max_length=[2, 5, 12, 64, 512][seed % 5], append_eos=seed % 3 > 0)

        def encode(text: str, protocol: Training = protocol) -> list[int]:
            return tokenise(tokenizer, text, protocol)

        sequences = {tuple(encode(text)) for text in held}
        expected = [tuple(encode(text)) in sequences for text in trained]
        found = HeldOut(held, encode, tokenizer)
        assert [found.holds(text) for text in trained] == expected, seed
        leaks += sum(expected)
        others += len(expected) - sum(expected)
    # the positive control: there was something to find, and something to leave
    assert leaks > CORPORA
    assert others > CORPORA


def test_texts_that_begin_otherwise_are_not_tokenised(
    helper: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """The reason for looking at beginnings first: a large corpus is not read twice."""
    tokenizer: PreTrainedTokenizerBase = helper("train/families.py").tokenizer_of("qwen", tmp_path)
    asked: list[str] = []

    def encode(text: str) -> list[int]:
        asked.append(text)
        return tokenise(tokenizer, text, Training(max_length=64))

    held = HeldOut(["the first text is held out, all of it"], encode, tokenizer)
    asked.clear()
    assert not any(held.holds(f"number {number} begins otherwise") for number in range(1000))
    assert asked == []
    assert held.holds("the first text is held out, all of it")


def test_nothing_held_out_holds_nothing(
    helper: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    tokenizer: PreTrainedTokenizerBase = helper("train/families.py").tokenizer_of("qwen", tmp_path)
    assert not HeldOut([], lambda text: tokenise(tokenizer, text, Training()), tokenizer).holds(
        "anything"
    )
