"""Everyday typography, audited: what is read rightly raises no alarm, what is wrong does, what is
unclear is refused in one line.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from repro.audit import Check, audit
from repro.claims.papers import load_paper
from repro.cli import main
from repro.errors import ManifestError

Audit = Callable[..., tuple[Check, ...]]
TABLE = "locator: Table 1\nquantity: score\nunverifiable: made up\n"


@pytest.fixture
def audited(tmp_path: Path) -> Audit:
    """The checks of a paper with these blocks."""

    def run(*blocks: str, head: str = "axes: [task]") -> tuple[Check, ...]:
        home = tmp_path / "mine"
        home.mkdir(exist_ok=True)
        (home / "paper.yaml").write_text(f"id: mine\ntitle: A case\n{head}\n")
        for number, block in enumerate(blocks):
            (home / f"b{number}.yaml").write_text(block)
        return audit(load_paper(home).claims)

    return run


def statement(*claims: str, says: str, quantity: str = "memory") -> str:
    listed = "\n".join(f"      - {{{claim}}}" for claim in claims)
    return (
        f'locator: "§1"\nquantity: {quantity}\nunverifiable: made up\nstatements:\n'
        f"  - says: {says!r}\n    claims:\n{listed}\n"
    )


def seeds(
    *printed: str, last: str = "", fields: str = "seed: null, over: seed", column: str = ""
) -> str:
    """A table of single runs; `last`: what its row "Mean" prints."""
    rows = "".join(f"  | {number} | {cell} |\n" for number, cell in enumerate(printed))
    extra = f'rows: {{"Mean": {{{fields}}}}}\n' if last else ""
    mean = f"  | Mean | {last} |\n" if last else ""
    return (
        f"{TABLE}condition: X\nkeys: {{Seed: seed}}\ncolumns: {{Score: {{{column}}}}}\n{extra}"
        f"table: |\n  | Seed | Score |\n  |--|--|\n{rows}{mean}"
    )


def verdicts(checks: tuple[Check, ...], kind: str) -> list[str]:
    return [check.verdict for check in checks if check.check == kind]


def test_powers_of_ten_are_part_of_the_number(audited: Audit) -> None:
    first = statement('printed: "2.5e-4"', says="at 2.5e-4", quantity="rate")
    for again, right in (
        ("2.5 × 10⁻⁴", True),
        ("0.00025", True),
        ("2.5e-5", False),
        ("2.5 × 10−3", False),
    ):
        second = statement(f'printed: "{again}"', says=f"with {again}", quantity="rate")
        expected = "consistent" if right else "inconsistent"
        assert verdicts(audited(first, second), "same_value") == [expected], again


def test_decimal_commas_that_the_digits_decide_are_decimal_commas(audited: Audit) -> None:
    mean = 'printed: "1,875", statistic: mean, over: seed, condition: X'
    checks = audited(
        seeds("1,5", "2,25"),
        statement(mean, says="1,875 on average", quantity="score"),
        head="decimal: comma",
    )
    assert verdicts(checks, "mean") == ["consistent"]


def test_a_comma_that_may_be_either_is_refused_where_the_paper_has_both(audited: Audit) -> None:
    with pytest.raises(ManifestError, match=r"may be read in two ways.*decimal: comma"):
        audited(seeds("1,5", "2,250"))
    with pytest.raises(ManifestError, match="may be read in two ways"):
        audited(seeds("1,5", "2.25"))


def test_percent_beside_percent_is_a_mean_and_its_spread(audited: Audit) -> None:
    wrong = audited(seeds("71.0%", "74.0%", "77.6%", last="74.2% ± 0.4%"))
    assert (verdicts(wrong, "mean"), verdicts(wrong, "sd")) == (["consistent"], ["inconsistent"])
    right = audited(seeds("71.0%", "74.0%", "77.6%", last="74.2% ± 3.3%"))
    assert verdicts(right, "sd") == ["consistent"]


def test_a_leading_point_is_a_decimal(audited: Audit) -> None:
    counts = ['printed: "88/150", condition: A', 'printed: "74/150", condition: B']
    p = 'printed: "p = .105", statistic: p_two, of: {condition: A}, against: {condition: B}'
    says = "88/150 against 74/150, p = .105"
    assert verdicts(audited(statement(*counts, p, says=says, quantity="solved")), "p") == [
        "consistent"
    ]
    wrong = statement(
        *counts, p.replace(".105", ".150"), says=says.replace(".105", ".150"), quantity="solved"
    )
    assert verdicts(audited(wrong), "p") == ["inconsistent"]


def test_a_median_may_stand_beside_its_quartiles(audited: Audit) -> None:
    fields = "seed: null, over: seed, spread: {kind: iqr, around: median}"
    checks = audited(seeds(*"12345", last="3.0 (2.0–4.0)", fields=fields))
    assert (verdicts(checks, "median"), verdicts(checks, "quartile")) == (
        ["consistent"],
        ["consistent"] * 2,
    )
    single = audited(seeds(*"12345", last="3.0 ± 2.0", fields=fields))
    assert (verdicts(single, "median"), verdicts(single, "quartile")) == (
        ["consistent"],
        ["consistent"],
    )


def test_a_spread_printed_once_for_a_row_belongs_to_each_of_its_numbers(audited: Audit) -> None:
    block = (
        TABLE + "keys: {Method: condition}\nspread: {kind: sd, shared: row}\n"
        "columns: {A: {task: a}, B: {task: b}}\ntable: |\n  | Method | A | B |\n  "
        "|--|--|--|\n  | X | 1.2 | 3.4 ± 0.2 |\n"
    )
    subjects = [check.id for check in audited(block) if check.check == "sd"]
    assert len(subjects) == 2


def test_levels_of_which_some_carry_a_spread_count_with_their_means(audited: Audit) -> None:
    for average, expected in (("4.0", "consistent"), ("4.4", "inconsistent")):
        block = (
            TABLE + "keys: {Method: condition}\n"
            "columns: {A: {task: a}, B: {task: b}, C: {task: c}, Avg: {statistic: mean, "
            "over: task}}\n"
            "table: |\n  | Method | A | B | C | Avg |\n  |--|--|--|--|--|\n  | X | 2.0 ± "
            f"0.3 | 4.0 | 6.0 | {average} |\n"
        )
        assert verdicts(audited(block), "mean")[-1:] == [expected]


@pytest.mark.parametrize("row", ["| Y | 2.0 | — | 6.0 | 5.1 |", "| Y | 2.0 | N/A | 6.0 | 1.0 |"])
def test_a_summary_of_part_of_its_levels_is_undecidable(audited: Audit, row: str) -> None:
    block = (
        TABLE + "keys: {Method: condition}\n"
        "columns: {A: {task: a}, B: {task: b}, C: {task: c}, Avg: {statistic: mean, over: task}}\n"
        "table: |\n  | Method | A | B | C | Avg |\n  |--|--|--|--|--|\n  | X | 1.0 | 2.0 | "
        f"3.0 | 2.0 |\n  {row}\n"
    )
    assert sorted(verdicts(audited(block), "mean")) == ["consistent", "undecidable"]
    runs = audited(seeds("1.0", "—", "3.0", last="2.9", fields="seed: null, statistic: mean"))
    assert verdicts(runs, "mean") == ["undecidable"]


@pytest.mark.parametrize(
    "printed", ["4 times", "4x", "4-fold", "4×", "4 ×", "fourfold", r"4\\times"]
)
def test_multiples_follow_one_rule_however_they_are_spelt(audited: Audit, printed: str) -> None:
    block = statement(
        'printed: "2.6", condition: a', 'printed: "0.6", condition: b',
        f'printed: "{printed}", statistic: ratio, of: {{condition: a}}, against: {{condition: b}}',
        says=f"from 2.6 to 0.6, {printed}".replace("\\\\", "\\"),
    )  # fmt: skip
    assert verdicts(audited(block), "ratio") == ["consistent"]


@pytest.mark.parametrize(
    ("word", "right"),
    [("roughly 4.2", True), ("~4.5", True), ("about 10", False), ("roughly 40", False)],
)
def test_about_is_within_a_few_per_cent(audited: Audit, word: str, right: bool) -> None:
    block = statement(
        'printed: "2.62", condition: a', 'printed: "0.61", condition: b',
        f'printed: "{word}×", statistic: ratio, of: {{condition: a}}, against: {{condition: b}}',
        says=f"2.62, 0.61, {word}×",
    )  # fmt: skip
    assert verdicts(audited(block), "ratio") == ["consistent" if right else "inconsistent"]


def test_thousands_percent_and_fractions_are_the_numbers_they_stand_for(audited: Audit) -> None:
    same = (
        ("1.5k", "1500"), ("2.5 million", "2.5M"), ("0.3B", "300M"), ("50 percent", "50%"),
        ("10 000", "10,000"), ("0·641", "0.641"), ("-0.5", "−.5"), ("½", "0.5"),
    )  # fmt: skip
    for one, other in same:
        blocks = [statement(f'printed: "{each}"', says=f"here {each}") for each in (one, other)]
        assert verdicts(audited(*blocks, head="axes: []"), "same_value") == ["consistent"], (
            one,
            other,
        )


def test_a_formula_is_exact_unless_it_carries_its_decimals(audited: Audit) -> None:
    for formula, expected in (
        ("2 * 0.62", "inconsistent"),
        ("2 * rounded(0.62)", "consistent"),
        ("1.25", "consistent"),
    ):
        block = statement(
            f'printed: "1.250", statistic: formula, formula: "{formula}"', says="1.250"
        )
        assert verdicts(audited(block), "formula") == [expected], formula


ONE = statement('printed: "3.0", condition: a', says="it was 3.0")


@pytest.mark.worker
@pytest.mark.parametrize(
    ("block", "message"),
    [
        (ONE.replace("statements:", "statments:"), "statments: unknown; nearest is statements"),
        (seeds("1.0", "52.0/28.0/44.5"), r"Table 1, 1 Score: '52.0/28.0/44.5' holds several numbers \(52, 28, 44.5\)"),
        (seeds("1.0", "2.0 2.1"), "Table 1, 1 Score: '2.0 2.1' is not read: '2.1' is left over"),
        (seeds("1.0", "1.2 ± 0.1 × 10⁻³"), "one of two numbers has a power of ten"),
        (seeds("1.0", "OOM"), "no number can be read at 'OOM'"),
        (seeds("1.0", column="step: x").replace("Score: {step", "Scroe: {step"), "column 'Score' is in none"),
        (seeds("1.0").replace("| Seed | Score |", "| Seed | Seed |"), "column 'Seed' is there twice"),
        (seeds("1.0").replace("keys: {Seed: seed}", "keys: {Seed: sede}"), "no axis is called 'sede'; nearest is seed"),
        (ONE.replace('"3.0"', '"8.0"'), "'8.0' is not in says, 'it was 3.0'"),
        (ONE.replace('"3.0"', '"3"'), "'3' is not in says"),
        (ONE.replace('"3.0"', "3.0"), "found 3.0; expected the paper's characters in quotes"),
        (ONE.replace("unverifiable: made up\n", ""), "neither measured_by nor unverifiable"),
        (ONE.replace("unverifiable: made up", "measured_by: scale_lader"), "nearest is scale_ladder"),
        (ONE.replace("condition: a", "condition: a, statistic: averge"), "nearest is mean"),
        (ONE.replace("condition: a", "condition: a, kind: seed_maen"), "nearest is seed_mean"),
        (ONE.replace("condition: a", "condition: a, over: tsak, statistic: mean"), "no axis is called 'tsak'; nearest is task"),
        (ONE.replace("condition: a", "statistic: formula, formula: 2 * * 3"), r"b0.yaml, §1, 3.0: formula '2 \* \* 3'"),
        (ONE.replace("condition: a", "statistic: formula, formula: '9**9**9'"), "cannot be computed"),
        (ONE.replace("condition: a", "statistic: formula, formula: 'open(1)'"), "only numbers"),
        (ONE.replace("condition: a", "parts: [{}, {}]"), "field parts: found 2, expected 1"),
        ("locator: Table 1\nquantity: score\nunverifiable: x\n", "neither statements nor a table"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_one_line_with_its_place(
    audited: Audit, tmp_path: Path, block: str, message: str
) -> None:
    with pytest.raises(ManifestError, match=message) as refused:
        audited(block)
    assert "\n" not in str(refused.value)
    assert "b0.yaml" in str(refused.value)
    assert main(["audit", str(tmp_path / "mine")]) == 2


def test_parts_say_what_several_numbers_are(audited: Audit) -> None:
    parts = '[{quantity: rouge1}, {quantity: rouge2}, "the third is not used"]'
    block = seeds("52.0/28.0/44.5", column=f"parts: {parts}")
    assert audited(block) == ()
    change = "{statistic: relative_change, of: {condition: X}, against: {condition: B}}"
    blocks = (
        seeds("40.0 ± 1.0 (+2.6%)", column=f"seed: null, parts: [{{}}, {change}]"),
        statement('printed: "39.0", condition: B', says="39.0", quantity="score"),
    )
    assert verdicts(audited(*blocks), "relative_change") == ["consistent"]


def test_a_sentence_stands_in_the_papers_text_where_there_is_one(
    audited: Audit, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "text.txt").write_text("Before.\nIt was\n3.0 in\tall.\n1\t87.5 ± 0.3\n")
    head = "axes: [task]\ntext: text.txt"
    table = seeds("x").replace("  | 0 | x |", "  | 1 | 87.5±.3 |")
    assert audited(ONE.replace("it was", "It was"), table, head=head)
    with pytest.raises(ManifestError, match=r"'It was 3\.0 for all' is not in the paper's text"):
        audited(ONE.replace("it was 3.0", "It was 3.0 for all"), head=head)
    with pytest.raises(ManifestError, match="is not in the paper's text"):
        audited(table.replace("87.5", "87.6"), head=head)
