"""A print stands in its sentence, and the sentence in its paper, or the reader is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.sentence import PaperText, numbers_in, stands_in, text_of
from repro.errors import ManifestError


@pytest.mark.parametrize(
    ("printed", "says", "stands"),
    [
        ("3.0", "it was 3.0", True),
        ("3", "it was 3.0", False),
        ("0.5", "it was 10.5", False),
        ("0.5", "it was 0.55", False),
        ("5", "of 1,500 in all", False),
        ("3", "of B3 and B4", False),
        ("0.5", "at 0.5.", True),
        ("87.5±.3", "| x | 87.5 ± 0.3 |", True),
        ("87.5 ± 0.30", "| x | 87.5 ± 0.3 |", False),
        ("**0.5**", "it was 0.5", True),
        ("seven", "all seven models", True),
        ("7", "all seven models", True),
        ("1234", "of 1,234 in all", True),
        ("lowest", "the lowest of all", True),
        ("highest", "the lowest of all", False),
    ],
)
def test_a_print_is_a_stretch_that_cuts_no_number_or_has_its_numbers_there(
    printed: str, says: str, stands: bool
) -> None:
    assert stands_in(printed, says) == stands


@given(
    st.lists(st.decimals(-999, 999, places=2, allow_nan=False), min_size=1, max_size=6),
    st.sampled_from((" and ", "; ", " | ", "\n", "\t")),
)
def test_every_number_of_a_text_is_found(numbers: list[object], between: str) -> None:
    found = {value for value, _ in numbers_in(between.join(map(str, numbers)))}
    assert {float(str(number)) for number in numbers} <= found


def test_decimals_are_kept_with_a_number_and_scales_are_not() -> None:
    assert (0.3, 0.1) in numbers_in("it was 0.3")
    assert (0.3, 0.01) in numbers_in("it was 0.30")
    assert (1.5, None) in numbers_in("1.5 million of them")
    assert (1.5, 0.1) in numbers_in("1,5 ms", "comma")


def test_a_sentence_is_found_whatever_its_line_breaks_and_a_row_by_its_numbers() -> None:
    text = PaperText("We find that\nEI falls by **32%**.\n\n| Qwen | 0.641 ± .1 | 0.9 |\n")
    assert text.has("We find that EI falls by 32%.")
    assert not text.has("We find that EI falls by 33%.")
    assert text.has("The Qwen | 0.641 ± 0.1 | 0.9")
    assert not text.has("The Qwen | 0.642 ± 0.1 | 0.9")


def test_a_text_lies_beside_the_claims_or_where_sources_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sources = tmp_path / "paper", tmp_path / "sources"
    folder.mkdir()
    sources.mkdir()
    monkeypatch.delenv("REPRO_SOURCES", raising=False)
    (sources / "text.md").write_text("it was 0.3")
    assert text_of("text.md", folder) is None
    assert text_of("", folder) is None
    monkeypatch.setenv("REPRO_SOURCES", str(sources))
    found = text_of("text.md", folder)
    assert found is not None
    assert found.has("it was 0.3")
    (folder / "text.md").write_text("it was 0.4")
    nearer = text_of("text.md", folder)
    assert nearer is not None
    assert nearer.has("it was 0.4")


def test_a_text_that_is_none_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "text.md").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ManifestError, match=r"text\.md: cannot be read as text .*correct `text`"):
        text_of("text.md", tmp_path)
