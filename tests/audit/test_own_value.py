"""An interval and the value that it is of: in one cell, in two columns, declared as whatever."""

from pathlib import Path

import pytest

from repro.audit import Check, audit
from repro.claims.papers import load_paper

KINDS = ("mean_interval", "range", "confidence_interval")


def found(home: Path, estimate: str, column: str, interval: str, fields: str) -> list[Check]:
    """The checks of a table with an estimate and, in a column of its own, its interval."""
    home = home / "paper"
    home.mkdir(exist_ok=True)
    (home / "paper.yaml").write_text("id: paper\ntitle: A case\naxes: [country, fold, set]\n")
    (home / "block.yaml").write_text(
        "locator: Table 2\nunverifiable: made up\nquantity: log2_enrichment\n"
        f"keys: {{Country: country}}\ncolumns:\n  Log2: {{{column}}}\n  CI: {{{fields}}}\n"
        f"table: |\n  | Country | Log2 | CI |\n  |--|--|--|\n  | China | {estimate} | {interval} |\n"
        "  | Japan | -0.1 | [-1.0, 0.8] |\n"
    )
    return [check for check in audit(load_paper(home).claims) if check.check in KINDS]


CI = "spread: {kind: ci, level: 95}"
TWO = "of: {set: observed}, against: {set: expected}"
FORMS = [
    ("", CI),
    ("", "spread: ci"),
    ("statistic: mean, over: fold", f"{CI}, over: fold"),
    ("statistic: median, over: fold", f"{CI}, over: fold"),
    ("", f"{CI}, over: fold"),
    ("", "spread: range"),
    ("statistic: median, over: seed", "spread: iqr"),
    (f"statistic: difference, {TWO}", f"{CI}, {TWO}"),
]


@pytest.mark.parametrize(("column", "fields"), FORMS)
@pytest.mark.parametrize(
    ("estimate", "interval", "verdict"),
    [
        ("-2.9", "(-4.5, -1.3)", "consistent"),
        ("2.9", "(-4.5, -1.3)", "inconsistent"),
        ("-2.9", "[-4.5, 1.3]", "consistent"),  # the sign of an end that nothing determines
        ("-2.9", "[-1.3, 4.5]", "inconsistent"),
        ("-1.26", "[-4.5, -1.3]", "consistent"),  # inside what the decimals allow
    ],
)
def test_an_interval_in_its_own_column_holds_its_value(
    tmp_path: Path, column: str, fields: str, estimate: str, interval: str, verdict: str
) -> None:
    china, japan = found(tmp_path, estimate, column, interval, fields)
    assert (china.verdict, japan.verdict) == (verdict, "consistent"), china.explanation
    word = "holds" if verdict == "consistent" else "does not hold"
    assert f"{word} its own value, {estimate}" in china.explanation
    assert china.severity == ("none" if verdict == "consistent" else "substantive")


def test_a_bracket_that_nobody_declares_is_held_against_no_paper(tmp_path: Path) -> None:
    checks = found(tmp_path, "2.9", "", "(-4.5, -1.3)", "spread: ci")
    assert checks[0].verdict == "inconsistent"
    checks = found(tmp_path, "2.9 (-4.5, -1.3)", "", "-", "")
    assert "inconsistent" not in {check.verdict for check in checks}


def test_a_factor_is_not_the_value_between_two_extremes(tmp_path: Path) -> None:
    assert all(
        check.verdict == "consistent" and "China" not in check.explanation
        for check in found(tmp_path, "10×", "", "[0.03, 0.3]", "spread: range")
    )


def test_percentages_lie_between_limits_that_are_fractions(tmp_path: Path) -> None:
    for estimate, verdict in (("45%", "consistent"), ("85%", "inconsistent")):
        china = found(tmp_path, estimate, "", "[0.41, 0.49]", CI)[0]
        assert china.verdict == verdict, china.explanation
