"""What differs between two folders, in words: the answer first, noise only counted."""

import json
from dataclasses import replace
from typing import Any

import pytest

from repro.claims.table import parse_table
from repro.report.export.difference import HEADLINE, difference_markdown, lines, record
from repro.verify.difference import CELL, Change, Difference


def change(kind: str, place: int = 0, **fields: Any) -> Change:
    cell = ("e", "m", "B3", 10, "damage", "default", "post_norm", place, "domain", None)
    given = {"one": 0.5, "other": 0.75, "runs": (3, 4), "sd": 0.125, "p": 0.001, **fields}
    return Change(cell, kind, **given)  # type: ignore[arg-type]


def compared(*changes: Change, **fields: Any) -> Difference:
    nothing: dict[str, Any] = dict.fromkeys(("only_one", "only_other", "left_out", "verdicts"), ())
    same = {"same_runs": 2, "numbers": 40, "same_bits": 40, "worst": 0.0, "renamed": {}}
    return Difference(changes=changes, **{**nothing, **same, **fields})


def test_the_answer_stands_first_with_what_it_rests_on() -> None:
    assert list(lines(compared())) == [
        "nothing but noise: 2 runs of one name in both, 40 of 40 numbers the same bits"
    ]
    (first,) = lines(compared(same_bits=39, worst=2.5e-13))
    assert first.endswith("39 of 40 numbers the same bits, largest relative gap 2.5e-13")
    first, only = lines(compared(only_one=tuple("abcdefg")))
    assert first.startswith(HEADLINE[3])
    assert only == "only in the first: a, b, c, d, e and 2 more"


def test_a_change_is_told_in_the_words_of_its_kind() -> None:
    """0.25 is two of the spread of 0.125 from seed to seed."""
    kinds = ("differs", "apart", "undefined", "no spread")
    found = compared(*(change(kind, place) for place, kind in enumerate(kinds)))
    cell = "e/m-B3 step 10, damage, domain, direction {}: 0.5 → 0.75"
    assert list(lines(found))[1:] == [
        cell.format(0) + ", +2 SD from seed to seed (n = 3 and 4, p = 0.001)",
        cell.format(1) + ", though the runs have one name",
        cell.format(2),
        cell.format(3) + "; one run a side shows no spread to compare with",
    ]
    *_, gone = lines(compared(change("undefined", other=None)))
    assert gone.endswith("0.5 → undefined")


def test_noise_is_counted_and_its_largest_told() -> None:
    few = [change("noise", place, other=0.5 - gap) for place, gap in enumerate((0.125, 0.25))]
    *_, last = lines(compared(*few))
    assert last == "2 cells of other runs differ by noise, 2 SD from seed to seed at most"


def test_what_is_cut_from_the_list_stands_in_the_record() -> None:
    found = compared(*(change("differs", place) for place in range(25)))
    told = list(lines(found))
    assert told[-1] == "and 5 more; --json has all"
    assert len(told) == 1 + 20 + 1
    kept = json.loads(json.dumps(record(found), allow_nan=False))
    assert len(kept["cells"]) == 25
    assert {name: kept["cells"][3][name] for name in ("direction", "spreads", "p_holm")} == {
        "direction": 3,
        "spreads": 2.0,
        "p_holm": 0.001,
    }
    assert CELL[7] == "direction"
    assert (kept["code"], kept["answer"]) == (1, "they differ")


@pytest.mark.parametrize("verdicts", [(), (("p/c", "reproduced", "contradicted"),)])
def test_markdown_says_in_tables_what_the_lines_say_and_nothing_twice(
    verdicts: tuple[tuple[str, str, str], ...],
) -> None:
    found = compared(change("differs"), change("noise", 1), verdicts=verdicts)
    text = difference_markdown(replace(found, left_out=("r1: changed",)))
    assert text.startswith("**They differ: 2 runs")
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    rows = [row for table in tables for row in parse_table(table, "markdown")[1]]
    assert len(rows) == 1 + len(verdicts)
    assert text.count("0.5 → 0.75") == 1
    assert text.count("reproduced") == len(verdicts)
    bullets = [line for line in text.splitlines() if line.startswith("- ")]
    assert bullets[0] == "- not believed: r1: changed"
    assert bullets[1].startswith("- 1 cells of other runs differ by noise")
    assert len(bullets) == 2
