"""The columns that docs/your_paper.md shows are recomputed as it says, and a wrong digit in each is
found by the check it names.
"""

import re
from pathlib import Path

import pytest

from repro.audit import Check, audit
from repro.claims.papers import load_paper

PAGE = Path(__file__).resolve().parents[2] / "docs" / "your_paper.md"


def shown() -> str:
    """The block of the page that has columns which follow from others."""
    (block,) = (
        text for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
        if text.startswith("- locator: Table 2")
    )  # fmt: skip
    return str(block)


def checks_of(home: Path, block: str) -> tuple[Check, ...]:
    home = home / "paper"
    home.mkdir(exist_ok=True)
    (home / "paper.yaml").write_text("id: paper\ntitle: A case\naxes: [country, set, part]\n")
    (home / "block.yaml").write_text(block)
    return audit(load_paper(home).claims)


def test_the_page_shows_a_table_that_agrees_with_itself(tmp_path: Path) -> None:
    found = checks_of(tmp_path, shown())
    assert {check.verdict for check in found} == {"consistent"}, found
    kinds = {"difference", "ratio", "relative_change", "percentage", "formula", "mean_interval"}
    assert kinds <= {check.check for check in found}


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("| 2.5 ", "| 3.5 ", "difference"),
        ("| 1.25  | +25%", "| 1.45  | +25%", "ratio"),
        ("+25%", "+35%", "relative_change"),
        ("| 58.1% ", "| 68.1% ", "ratio"),
        ("57.5%", "52.5%", "percentage"),
        ("| 0.32 | 1.25 ", "| 0.32 | 1.45 ", "formula"),
        ("[-1.1, 0.2]", "[1.1, 1.2]", "mean_interval"),
    ],
)
def test_a_wrong_digit_in_a_column_that_follows_is_found(
    tmp_path: Path, right: str, wrong: str, kind: str
) -> None:
    assert shown().count(right) == 1
    found = checks_of(tmp_path, shown().replace(right, wrong))
    assert kind in {check.check for check in found if check.verdict == "inconsistent"}
