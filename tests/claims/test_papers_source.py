"""Every claim stands in its paper, where its locator says, character by character; needs the
papers' texts.

REPRO_SOURCES names their folder; without it the folder shared/papers beside the project is tried.
The texts are not ours to distribute, so without them these tests are skipped.
"""

import hashlib
import os
import re
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.claims.papers import PAPERS, Paper, load_papers

SOURCES = Path(os.environ.get("REPRO_SOURCES") or PAPERS.parents[2] / "shared" / "papers")
WITH_TEXT = [paper for paper in load_papers() if paper.text and (SOURCES / paper.text).is_file()]
pytestmark = pytest.mark.skipif(
    not WITH_TEXT, reason=f"the papers' texts are not at hand in {SOURCES}; set REPRO_SOURCES"
)


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def segment(text: str, locator: str) -> str:
    """The part of a paper a locator names: a section up to the next heading, or a table with its
    caption.
    """
    lines = text.splitlines()
    if found := re.fullmatch(r"Table (\w+)( caption)?", locator):
        start = next(i for i, line in enumerate(lines) if line.startswith(f"Table {found[1]}:"))
        tabbed = [i for i in range(start, len(lines)) if "\t" in lines[i]]
        end = next((i for i in tabbed if i + 1 not in tabbed), start)
        return "\n".join(lines[start : end + 1] if not found[2] else lines[start : start + 1])
    headings = [i for i, line in enumerate(lines) if is_heading(line)]
    name = locator.removeprefix("§")
    start = next(
        (i for i in headings if lines[i] == name or re.match(rf"{re.escape(name)}\.? ", lines[i])),
        None,
    )
    if start is None:
        return {"Title": "\n".join(lines[: headings[0]]) if headings else "", "Page": text}.get(
            locator, ""
        )
    following = [i for i in headings if i > start]
    return "\n".join(lines[start : following[0] if following else len(lines)])


def is_heading(line: str) -> bool:
    return (bool(re.match(r"\d+(\.\d+)? [A-Z]\S*", line)) and len(line) < 110) or line in (
        "Abstract",
        "References",
    )


@pytest.mark.parametrize("paper", WITH_TEXT, ids=lambda paper: paper.id)
def test_the_text_at_hand_is_the_text_that_was_transcribed(paper: Paper) -> None:
    assert hashlib.sha256((SOURCES / paper.text).read_bytes()).hexdigest() == paper.sha256


@pytest.mark.parametrize("paper", WITH_TEXT, ids=lambda paper: paper.id)
def test_every_printed_form_stands_in_its_sentence_and_every_sentence_where_its_locator_says(
    paper: Paper,
) -> None:
    text = (SOURCES / paper.text).read_text()
    segments: dict[str, str] = {}
    wrong = []
    for claim in paper.claims:
        place = segments.setdefault(claim.locator, segment(text, claim.locator))
        if not stands(claim, place):
            wrong.append(f"{claim.id}: {claim.printed!r} in {claim.says!r}")
    assert not wrong, "\n".join(wrong)


def stands(claim: Claim, place: str) -> bool:
    if plain(claim.printed) not in plain(claim.says):
        return False
    if " | " not in claim.says:
        return plain(claim.says) in plain(place)
    cells = claim.says.split(" | ")
    rows = [
        [plain(cell) for cell in line.split("\t")] for line in place.splitlines() if "\t" in line
    ]
    return any(row == [plain(cell) for cell in cells] for row in rows)


@pytest.mark.parametrize("paper", WITH_TEXT, ids=lambda paper: paper.id)
def test_every_cell_with_a_number_in_every_table_of_the_text_is_a_claim(paper: Paper) -> None:
    lines = (SOURCES / paper.text).read_text().splitlines()
    rows = {
        plain(" | ".join(line.split("\t")))
        for line in lines
        if re.search(r"\t.*\d\.\d", line) and "\\lambda" not in line
    }
    claimed = {plain(claim.says) for claim in paper.claims if claim.locator.startswith("Table")}
    assert not [row for row in rows if not any(says in row for says in claimed)]


def test_a_wrong_digit_would_be_noticed() -> None:
    paper = next(paper for paper in WITH_TEXT if any("|" in claim.says for claim in paper.claims))
    text = (SOURCES / paper.text).read_text()
    claim = next(claim for claim in paper.claims if claim.kind == "seed_mean" and "|" in claim.says)
    place = segment(text, claim.locator)
    assert stands(claim, place)
    assert not stands(claim.model_copy(update={"says": claim.says.replace("0.", "1.", 1)}), place)
