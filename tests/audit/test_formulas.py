"""p-values and intervals that statsmodels and scipy give are never called wrong, and other numbers
are, side and level included.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy import stats
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)
from statsmodels.stats.proportion import test_proportions_2indep as two_independent

from repro.audit import Check, audit
from repro.audit.formulas import difference_intervals, p_values, share_intervals
from repro.claims.papers import load_paper

Counts = tuple[int, int, int, int]
HEAD = "locator: Table 1\nquantity: solved_tasks\nunverifiable: made up\nstatements:\n"


@pytest.fixture
def audited(tmp_path: Path) -> Callable[[list[tuple[Counts, str, str]]], list[Check]]:
    """The checks of one paper that prints, for each pair of counts, a statistic: (counts,
    statistic, print).
    """

    def run(prints: list[tuple[Counts, str, str]]) -> list[Check]:
        lines = [HEAD]
        for number, ((a, n, b, m), statistic, printed) in enumerate(prints):
            first, second = f"A{number}", f"B{number}"
            alone = statistic == "of one"
            terms = (
                f"condition: {first}"
                if alone
                else f"of: {{condition: {first}}}, against: {{condition: {second}}}"
            )
            name = (
                ""
                if printed.startswith("[") and not alone
                else f", statistic: {'ci_low' if alone else statistic}"
            )
            lines.append(
                f'  - says: "{a}/{n} against {b}/{m}: {printed}"\n    claims:\n'
                f'      - {{printed: "{a}/{n}", condition: {first}}}\n      - {{printed: '
                f'"{b}/{m}", condition: {second}}}\n'
                f'      - {{printed: "{printed}"{name}, {terms}}}\n'
            )
        home = tmp_path / "paper"
        home.mkdir(exist_ok=True)
        (home / "paper.yaml").write_text("id: paper\ntitle: A case\n")
        (home / "table.yaml").write_text("".join(lines))
        checks = audit(load_paper(home).claims)
        return [check for check in checks if check.check in ("p", "z", "confidence_interval")]

    return run


def drawn(chance: random.Random) -> Counts:
    n, m = chance.randint(20, 400), chance.randint(20, 400)
    return chance.randint(2, n - 2), n, chance.randint(2, m - 2), m


def table(counts: Counts) -> list[list[int]]:
    a, n, b, m = counts
    return [[a, n - a], [b, m - b]]


def honest_p(chance: random.Random, counts: Counts) -> tuple[str, float]:
    """(statistic, p) by a test drawn at random, each by a library."""
    a, n, b, m = counts
    tests: list[Callable[[], tuple[str, float]]] = [
        lambda: ("p_two", proportions_ztest([a, b], [n, m])[1]),
        lambda: ("p_one", proportions_ztest([a, b], [n, m], alternative="larger")[1]),
        lambda: ("p_two", two_independent(a, n, b, m, method="wald").pvalue),
        lambda: ("p_two", stats.fisher_exact(table(counts)).pvalue),
        lambda: ("p_one", stats.fisher_exact(table(counts), alternative="greater").pvalue),
        lambda: ("p_two", stats.chi2_contingency(table(counts), correction=True).pvalue),
        lambda: ("p_two", stats.chi2_contingency(table(counts), correction=False).pvalue),
        lambda: (
            "p_two",
            stats.chi2_contingency(
                table(counts), correction=False, lambda_="log-likelihood"
            ).pvalue,
        ),
    ]
    statistic, p = chance.choice(tests)()
    return statistic, float(p)


def p_print(chance: random.Random, p: float) -> str:
    """As a paper prints a p: to three decimals, or as a bound."""
    if p < 0.001:
        return "< 0.001"
    return (
        chance.choice([f"{p:.3f}", f"< {next(bound for bound in (0.01, 0.05, 1.1) if p < bound)}"])
        if p < 0.05
        else f"{p:.3f}"
    )


METHODS = ("wald", "agresti-caffo", "newcomb", "score")


def ends(chance: random.Random, counts: Counts) -> tuple[float, float]:
    """An interval of the difference, in points, by statsmodels, at one of three levels."""
    method, alpha = chance.choice(METHODS), chance.choice([0.05, 0.10, 0.01])
    a, n, b, m = counts
    corrected = chance.random() < 0.5
    try:
        low, high = confint_proportions_2indep(
            a, n, b, m, method=method, compare="diff", alpha=alpha, correction=corrected
        )
    except ValueError:  # statsmodels' solver meets a value that is none
        return ends(chance, counts)
    return 100 * float(low), 100 * float(high)


@pytest.mark.worker
def test_four_hundred_right_ones_are_never_called_wrong(
    audited: Callable[..., list[Check]],
) -> None:
    chance = random.Random(1)
    prints = []
    for _ in range(200):
        counts = drawn(chance)
        statistic, p = honest_p(chance, counts)
        prints.append((counts, statistic, p_print(chance, p)))
    for _ in range(130):
        counts = drawn(chance)
        low, high = ends(chance, counts)
        prints.append((counts, "ci_low", f"[{low:.1f}, {high:.1f}]"))
    for method in ("normal", "agresti_coull", "beta", "wilson", "jeffreys"):
        for alpha in (0.05, 0.10, 0.01, 0.05, 0.05, 0.05, 0.1):
            counts = drawn(chance)
            low, high = proportion_confint(counts[0], counts[1], alpha=alpha, method=method)
            prints.append((counts, "of one", f"[{100 * low:.1f}%, {100 * high:.1f}%]"))
    for _ in range(35):
        counts = drawn(chance)
        low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
        prints.append((counts, "ci_low", f"[{low:.3f}, {high:.3f}]"))
    assert len(prints) == 400
    checks = audited(prints)
    assert len(checks) >= 400
    assert [check.explanation for check in checks if check.verdict != "consistent"] == []


@pytest.mark.worker
def test_two_hundred_that_are_wrong_by_more_than_rounding_are_found(
    audited: Callable[..., list[Check]],
) -> None:
    chance = random.Random(2)
    prints = []
    while len(prints) < 100:
        counts = drawn(chance)
        _, p = honest_p(chance, counts)
        wrong = p + chance.choice([0.15, 0.3]) if p < 0.5 else p - chance.choice([0.15, 0.3])
        known = [
            value
            for one in (False, True)
            for value in p_values(tuple(map(float, counts)), one).values()
        ]  # type: ignore[arg-type]
        if all(abs(wrong - value) > 0.02 for value in known):
            prints.append((counts, "p_two", f"{wrong:.3f}"))
    while len(prints) < 200:
        counts = drawn(chance)
        low, high = ends(chance, counts)
        by = chance.choice([-1, 1]) * chance.choice([3.0, 6.0])
        shifted = (low + by, high + by) if chance.random() < 0.5 else (low - abs(by), high)
        floats: tuple[float, int, float, int] = counts
        known_ends = [
            found
            for level in (95, 90, 99)
            for found in difference_intervals(floats, level).values()
        ]
        if all(
            abs(100 * one[0] - shifted[0]) + abs(100 * one[1] - shifted[1]) > 0.5
            for one in known_ends
        ):
            prints.append((counts, "ci_low", f"[{shifted[0]:.1f}, {shifted[1]:.1f}]"))
    checks = audited(prints)
    wrong_ones = [check for check in checks if check.verdict == "inconsistent"]
    assert len(checks) == 200
    assert len(wrong_ones) >= 194


@pytest.mark.parametrize(
    ("printed", "verdict", "severity"),
    [
        ("< 0.05", "inconsistent", "substantive"),  # 0.0599: the decision turns
        ("< 0.06", "consistent", "none"),
        ("> 0.05", "consistent", "none"),
        ("0.060", "consistent", "none"),
        ("0.049", "inconsistent", "substantive"),
        ("0.076", "consistent", "none"),  # Fisher
    ],
)
def test_a_p_that_decides_otherwise_is_substantive(
    audited: Callable[..., list[Check]], printed: str, verdict: str, severity: str
) -> None:
    (check,) = audited([((96, 164, 79, 164), "p_two", printed)])
    assert (check.verdict, check.severity) == (verdict, severity), check.explanation


def test_a_one_sided_p_keeps_its_side(audited: Callable[..., list[Check]]) -> None:
    """That the first, which has fewer, is the larger: P(Z > −1.88)."""
    right, wrong, turned = audited([
        ((79, 164, 96, 164), "p_one", "0.970"),
        ((79, 164, 96, 164), "p_one", "0.030"),
        ((96, 164, 79, 164), "p_one", "0.030"),
    ])  # fmt: skip
    assert (right.verdict, turned.verdict) == ("consistent", "consistent")
    assert (wrong.verdict, wrong.severity) == ("inconsistent", "substantive")
    assert "the p of the other side" in wrong.explanation


def test_counts_of_none_and_all_have_no_interval_without_width(
    audited: Callable[..., list[Check]],
) -> None:
    counts = [(0, 20, 20, 20), (0, 20, 0, 20), (20, 20, 20, 20), (0, 20, 3, 20)]
    for a, n, b, m in counts:
        assert all(low < high for low, high in difference_intervals((a, n, b, m), 95).values())
        assert all(low < high for low, high in share_intervals(a, n, 95).values())
    right, degenerate = audited(
        [((0, 20, 20, 20), "ci_low", "[-100.0, -77.2]"), ((0, 20, 0, 20), "ci_low", "[0.00, 0.00]")]
    )
    assert right.verdict == "consistent"
    assert degenerate.verdict == "inconsistent"
    assert "the right one" not in degenerate.explanation


@pytest.mark.parametrize("counts", [(170, 164, 79, 164), (79, 164, 5, 1), (165, 164, 165, 164)])
def test_counts_beyond_their_totals_test_nothing(
    audited: Callable[..., list[Check]], counts: Counts
) -> None:
    prints = [
        (counts, name, value)
        for name, value in (
            ("ci_low", "[1.0, 2.0]"),
            ("p_two", "0.05"),
            ("p_one", "0.03"),
            ("z", "1.2"),
        )
    ]
    checks = audited([*prints, (counts, "of one", "[3.0%, 4.0%]")])
    assert checks
    assert {check.verdict for check in checks if "solved_tasks (A4" not in check.explanation} == {
        "undecidable"
    }


def test_wilsons_and_newcombes_corrected_intervals_are_the_published_ones() -> None:
    """Newcombe 1998: 81 of 263 (table I), and 56/70 against 48/80 (table II), to their four
    decimals.
    """
    low, high = share_intervals(81, 263, 95)["Wilson with continuity correction"]
    assert (low, high) == pytest.approx((0.2535, 0.3682), abs=5e-5)
    low, high = share_intervals(81, 263, 95)["Wilson"]
    assert (low, high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    low, high = difference_intervals((56, 70, 48, 80), 95)["Newcombe"]
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    low, high = difference_intervals((56, 70, 48, 80), 95)["Newcombe with continuity correction"]
    assert (low, high) == pytest.approx((0.0428, 0.3422), abs=5e-5)
