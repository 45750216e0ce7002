"""Messages are one line, whatever names and values of others they quote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import ReproError, first_line, last_line, printable


def test_no_message_breaks_its_line_or_obeys_a_terminal() -> None:
    """Whatever a name holds: line ends, escape sequences, bytes that are no text; and an endless
    word is cut.
    """
    assert str(ReproError("a\nb\x1b[31m caf\udce9")) == "a\\nb\\x1b[31m caf\\udce9"
    assert printable("plain − words § λ") == "plain − words § λ"
    assert len(printable("x" * 100_000)) < 400


@given(st.text(st.characters(), max_size=30))
def test_every_message_is_printable(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text) == str(ReproError(text))
    if text.isprintable():
        assert printable(text) == text


@pytest.mark.parametrize(("length", "shown"), [(500, 500), (501, 301)])
def test_a_word_above_500_characters_keeps_its_beginning_and_its_end(
    length: int, shown: int
) -> None:
    word = "a" * (length // 2) + "b" * (length - length // 2)
    cut = printable(f"in {word} here").split(" ")
    assert len(cut[1]) == shown
    assert (cut[0], cut[1][:200], cut[1][-100:], cut[2]) == ("in", "a" * 200, "b" * 100, "here")


def test_an_error_is_named_by_its_first_line_and_without_one_by_its_type() -> None:
    assert first_line(ValueError("one\ntwo")) == "one"
    assert first_line(ValueError()) == "ValueError"
    assert first_line(ValueError("\ntwo")) == "ValueError"


def test_of_what_a_program_printed_the_last_line_with_words_is_taken() -> None:
    assert last_line("one\ntwo\n\n  \n") == "two"
    assert last_line(" \n", "nothing was said") == "nothing was said"
    assert last_line("") == "no output"
