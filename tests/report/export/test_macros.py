"""Measured numbers as LaTeX macros: every key is its own, and what was not measured has none."""

import re

import pytest

from repro.report.export.macros import macro_key, macros
from repro.report.page.claims import ClaimLine


def line(name: str, measured: str, grade: str) -> ClaimLine:
    return ClaimLine(
        name,
        "n",
        "s",
        "50%",
        measured,
        "reproduced",
        "✓",
        "reproduced",
        grade,
        "measured",
        "r",
        (),
        False,
        "p",
        "l",
    )


def test_a_number_has_a_macro_only_where_it_was_measured() -> None:
    text = macros(
        [
            line("p/table-2/δ-ei~2", "0.5 [0.4, 0.6]", "own"),
            line("p/b", "80", ""),
            line("p/β%b", "1", "own"),
            line("p/betab", "2", "own"),
        ]
    )
    assert r"\repro@set{measured}{p/table-2/delta-ei:2}{0.5 [0.4, 0.6]}" in text
    assert r"\repro@set{published}{p/b}{50\%}" in text
    assert "{measured}{p/b}" not in text
    keys = re.findall(r"repro@set\{measured\}\{([^}]+)\}", text)
    assert len(keys) == len(set(keys)) == 3


@pytest.mark.parametrize(
    ("claim", "key"), [("p/32pct~2", "p/32pct:2"), ("p/σ₁", "p/sigma1"), ("p/é_#{x}", "p/ex")]
)
def test_a_key_means_nothing_to_latex(claim: str, key: str) -> None:
    assert macro_key(claim) == key
