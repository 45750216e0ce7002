"""The audit's table shows how a print stands to what other prints say, and how many claims its
findings are of.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.cli import main

Print = Callable[..., str]
BLOCKS = """\
- locator: Table 1
  quantity: cases
  unverifiable: made up
  keys: {Country: country}
  columns:
    Observed: {set: observed}
    Expected: {set: expected}
    Difference: {statistic: difference, of: {set: observed}, against: {set: expected}}
    Gap: {statistic: difference, of: {set: observed}, against: {set: nowhere}}
    Share: {quantity: world_share}
    Log: {quantity: log_ratio}
    CI: {quantity: log_ratio, spread: ci}
  table: |
    | Country | Observed | Expected | Difference | Gap | Share | Log | CI |
    |--|--|--|--|--|--|--|--|
    | Japan | 12.5 | 10.0 | 2.5 | 0.5 | 38.76% | 0.3 | [0.1, 0.5] |
    | Italy | 9.0 | 6.0 | 3.0 | 0.7 | 120.4% | 2.9 | [-4.5, -1.3] |
- locator: "§1"
  quantity: cases
  unverifiable: made up
  statements:
    - says: SAID more than expected
      claims:
        - {printed: "SAID", country: Japan, statistic: difference, of: {set: observed}, against: {set: expected}}
"""
SIGNS = [
    ("2.5 = 2.5", "| 2.5 | 2.5 |"),
    ("0.5 ?", "| 0.5 | ? |"),
    ("38.76 in [0, 100]", "| 38.76 | in [0, 100] |"),
    ("120.4 not in [0, 100]", "| 120.4 | not in [0, 100] |"),
    ("[0.1, 0.5] holds 0.3", "| [0.1, 0.5] | holds 0.3 |"),
    ("[-4.5, -1.3] does not hold 2.9", "| [-4.5, -1.3] | does not hold 2.9 |"),
]


HIDDEN = "`--all` shows every check"


@pytest.fixture
def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Print:
    """What `repro audit` prints of the paper, by its options."""
    home = tmp_path / "mine"
    home.mkdir()
    (home / "paper.yaml").write_text("id: mine\ntitle: A case\naxes: [country, set]\n")

    def run(*options: str, said: str = "2.5") -> str:
        (home / "blocks.yaml").write_text(BLOCKS.replace("SAID", said))
        assert main(["audit", str(home), *options]) == 1
        return capsys.readouterr().out

    return run


@pytest.mark.worker
def test_every_form_says_how_the_print_stands_to_the_rest(printed: Print) -> None:
    lines = [line.split("│") for line in printed("--all").splitlines() if "│" in line]
    column = " ".join(" ".join(cells[3] for cells in lines).split())
    markdown = printed("--all", "--format", "markdown")
    for sign, cells in SIGNS:
        assert sign in column, sign
        assert cells in markdown, cells
    assert "— " not in column
    csv = printed("--all", "--format", "csv")
    assert '120.4,"[0, 100]"' in csv
    assert ",undecidable,difference,mine,Table 1,0.5,," in csv
    checks = json.loads(printed("--json"))["checks"]
    assert set(checks[0]) == {
        "id", "check", "inputs", "recomputed", "printed", "verdict", "severity", "explanation"
    }  # fmt: skip


@pytest.mark.worker
def test_findings_of_one_claim_are_said_to_be(printed: Print) -> None:
    assert "2 inconsistent (2 substantive), " in printed()
    once = printed(said="7.5")
    assert "4 inconsistent (4 substantive; of 3 claims), " in once
    assert "of 3 claims" in printed("--format", "markdown", said="7.5")


@pytest.mark.worker
def test_a_narrow_console_says_the_same_without_a_table(
    printed: Print, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    narrow = printed("--all")
    assert "│" not in narrow
    assert all(len(line) <= 60 for line in narrow.splitlines())
    words = " ".join(narrow.split())
    for sign, _ in SIGNS:
        assert sign in words, sign
    monkeypatch.setenv("COLUMNS", "80")
    assert "│" in printed("--all")


@pytest.mark.worker
def test_what_is_not_shown_is_said_to_be_there(printed: Print) -> None:
    assert printed().splitlines()[-1].startswith(HIDDEN)
    assert HIDDEN not in printed("--all")
