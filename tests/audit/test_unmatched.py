"""An operand that nothing printed answers to is named in the audit's last lines, in every form."""

from pathlib import Path

import pytest

from repro.cli import main

TABLE = """\
locator: Table 1
quantity: honorees
unverifiable: made up
keys: {Country: country}
columns:
  Observed: {set: observed}
  Expected: {set: EXPECTED}
  Difference: {statistic: difference, of: {set: observed}, against: {set: expected}}
  Ratio: {quantity: enrichment, statistic: formula, formula: "FORMULA"}
  Total: {statistic: sum, over: OVER}
table: |
  | Country | Observed | Expected | Difference | Ratio | Total |
  |--|--|--|--|--|--|
  | Japan | 12.5 | 10.0 | 2.5 | 2.0 | 22.5 |
  | Italy | 9.0 | 6.0 | 3.0 | 2.0 | 15.0 |
"""


def last_lines(
    home: Path, capsys: pytest.CaptureFixture[str], *options: str, **words: str
) -> list[str]:
    """What the audit prints behind its counts; the exit code is 0."""
    home = home / "mine"
    home.mkdir(exist_ok=True)
    (home / "paper.yaml").write_text("id: mine\ntitle: A case\naxes: [country, set, part]\n")
    text = TABLE
    for word, given in {"EXPECTED": "expected", "FORMULA": "2", "OVER": "set", **words}.items():
        text = text.replace(word, given)
    (home / "table.yaml").write_text(text)
    assert main(["audit", str(home), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if "found no print" in line]


def test_a_paper_that_is_spelt_in_one_way_has_no_such_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert last_lines(tmp_path, capsys) == []


@pytest.mark.worker
@pytest.mark.parametrize("options", [(), ("--format", "markdown")])
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            {"EXPECTED": "expekted"},
            "2 checks found no print of honorees (set expected); printed are: expekted, observed",
        ),
        (
            {"FORMULA": "2 * honoree"},
            "2 checks found no print of honoree; printed are: honorees",
        ),
        (
            {"FORMULA": "2 * likelihood"},
            "2 checks found no print of likelihood; no other name is like it",
        ),
        (
            {"OVER": "part"},
            "2 checks found no print of honorees along part; printed are: set, country",
        ),
    ],
)
def test_an_operand_without_a_print_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    words: dict[str, str],
    line: str,
) -> None:
    assert line in last_lines(tmp_path, capsys, *options, **words)
