"""Text of others is shown with its control characters spelled out, and otherwise as it is."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from repro.plain import one_line, plain


@given(st.text())
def test_plain_text_has_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = plain(text)
    assert all(char in "\n\t" or not 0 <= ord(char) < 32 for char in shown)
    assert not set(shown) & set(map(chr, [0x7F, 0x9B, 0x202E, 0x2066, 0xFEFF]))
    assert "\n" not in one_line(text)
    if text.isascii() and text.isprintable():
        assert shown == text


def test_a_control_character_is_spelled_as_in_python() -> None:
    for sign in ("\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\ufeff", "\ud800"):
        assert plain(f"a{sign}b") == f"a{ascii(sign)[1:-1]}b"


def test_what_no_category_of_unicode_calls_a_control_stays() -> None:
    """The control: every other letter, digit, sign and space below U+3000 is left alone."""
    kept = "".join(
        sign for sign in map(chr, range(0x20, 0x3000)) if unicodedata.category(sign)[0] in "LNPSM"
    )
    assert len(kept) > 5000
    assert plain(kept) == kept


def test_lines_and_tabs_stay_in_a_text_and_are_spelled_out_in_a_line() -> None:
    text = "\n one\n\ttwo \n\n"
    assert plain(text) == text
    assert one_line(text) == "one\\n\\ttwo"
