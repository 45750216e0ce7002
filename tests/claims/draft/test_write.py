"""Drafted blocks as YAML: what is read back is what was drafted, and tables stay drawn."""

from pathlib import Path

import pytest
import yaml

from repro.claims.draft.block import Block
from repro.claims.draft.write import write_draft
from repro.claims.table import draw_table, parse_table
from repro.errors import ManifestError


def block(*rows: list[str], **changes: object) -> Block:
    """Return a block whose table has these rows."""
    fields = {
        "locator": "Table 1",
        "questions": ("locator: is it?", "quantity: what?"),
        "keys": {"Model": "model"},
        "columns": {"C": {"tier": "x", "column": "C"}},
        "ignore": {},
        "table": draw_table([["Model", "C"], *rows]),
        **changes,
    }
    return Block(**fields)  # type: ignore[arg-type]  # the fields of a block


CELLS = ["0.6 ± 0.1", "#1", "a: b", "- x", "'q'", '"q"', "é 数", r"$\pm$", "null", "007", "a | b"]


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_written_is_read_back(cell: str) -> None:
    drafted = block([cell, "1.0"])
    (back,) = yaml.safe_load(write_draft([drafted], "paper.tex"))
    assert parse_table(back["table"], "x") == (["Model", "C"], [[cell, "1.0"]])
    assert list(back) == ["draft", "locator", "keys", "columns", "table"]
    assert (back["draft"], back["columns"]) == (list(drafted.questions), drafted.columns)


def test_a_table_stands_on_lines_of_its_own() -> None:
    text = write_draft([block(["a", "1.0"])], "paper.tex")
    assert "  table: |\n    | Model | C   |\n" in text


def test_the_head_says_what_it_is_a_draft_of_and_which_axes_it_needs() -> None:
    one = block(["a", "1.0"])
    text = write_draft([one, block(["a", "1.0"], ignore={"R": "why"})], str(Path("some/paper.tex")))
    assert text.startswith("# A draft of 2 tables from paper.tex: ")
    assert "axes: [model, tier, column]" in text
    assert yaml.safe_load(text)[1]["ignore"] == {"R": "why"}
    assert "A draft of 1 table from" in write_draft([one], "paper.tex")


@pytest.mark.parametrize("sign", ["\x07", "\x00"])
def test_characters_that_yaml_cannot_hold_are_refused(sign: str) -> None:
    drawn = f"| Model | C |\n|---|---|\n| a{sign}b | 1.0 |\n"
    with pytest.raises(ManifestError, match=r"^paper\.tex: .*from the source$"):
        write_draft([block(table=drawn)], "paper.tex")
