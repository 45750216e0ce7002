"""The direction that words claim."""

import pytest

from repro.verify.facts.meaning import direction


@pytest.mark.parametrize(
    ("words", "quantity", "expected"),
    [
        ("significantly lower", "", -1), ("a significant drop", "", -1), ("significantly reduced", "", -1),
        ("significantly higher", "", 1), ("a significant gain", "", 1), ("significantly outperforms", "humaneval", 1),
        ("significantly worse", "humaneval", -1), ("significantly worse", "heldout_loss", 1),
        ("significantly better", "heldout_loss", -1), ("significantly lower loss", "heldout_loss", -1),
        ("significantly", "", 0), ("differ significantly", "", 0), ("diverge sharply", "", 0),
        ("lower in one, higher in the other", "", 0), ("a significant change (−12 points)", "", -1), ("(+4.2)", "", 1),
    ],
)  # fmt: skip
def test_words_have_a_direction(words: str, quantity: str, expected: int) -> None:
    assert direction(words, quantity) == expected
