"""Numbers that cannot occur are found, and samples that do occur, printed as papers print, never
are.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, pstdev, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.audit import Check, audit
from repro.claims.papers import load_paper

KINDS = ("bounds", "whole_mean", "whole_sd", "binary_sd", "sd_bound")


def checks_of(
    home: Path,
    quantity: str,
    number: int | None,
    printed: str,
    over: str = "item",
    statistic: str = "mean",
) -> dict[str, Check]:
    """By kind: the checks of a paper with one mean of so many values."""
    named = "" if "±" in printed else f", statistic: {statistic}"
    counted = f'{{printed: "{number}", statistic: count}}, ' if number else ""
    home = home / "paper"
    home.mkdir(exist_ok=True)
    (home / "paper.yaml").write_text("id: paper\ntitle: A case\naxes: [item, rater]\n")
    (home / "block.yaml").write_text(
        f"locator: Table 1\nunverifiable: made up\nquantity: {quantity}\nstatements:\n  - "
        f'says: "{printed} of {number}"\n'
        f"    {'' if statistic == 'single' else f'over: {over}'}\n"
        f'    claims: [{counted}{{printed: "{printed}"{named}}}]\n'
    )
    return {check.check: check for check in audit(load_paper(home).claims) if check.check in KINDS}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


IMPOSSIBLE = [
    ("rating", 28, "5.19", "whole_mean"),
    ("humaneval", 3, "79.4", "whole_mean"),
    ("accuracy", 3, "0.50 ± 0.90", "sd_bound"),
    ("accuracy", 3, "50.0 ± 90.0", "sd_bound"),
    ("binary_accuracy", None, "120.4%", "bounds"),
    ("centroid_cosine", None, "-1.20", "bounds"),
    ("f1", None, "-0.10", "bounds"),
    ("right", 20, "0.35 ± 0.18", "binary_sd"),
    ("right", 20, "0.33", "whole_mean"),
    ("rating", 10, "3.50 ± 0.20", "whole_sd"),
]


@pytest.mark.parametrize(("quantity", "number", "printed", "kind"), IMPOSSIBLE)
def test_what_cannot_be_raises_an_alarm(
    home: Path, quantity: str, number: int | None, printed: str, kind: str
) -> None:
    check = checks_of(home, quantity, number, printed)[kind]
    assert (check.verdict, check.severity) == ("inconsistent", "substantive"), check.explanation


@pytest.mark.parametrize(
    ("quantity", "number", "printed"),
    [
        ("rating", 28, "5.18"),
        ("humaneval", 3, "79.3"),
        ("accuracy", 3, "0.50 ± 0.61"),
        # too large for an SD, not for the half-width of an interval
        ("accuracy", 3, "0.95 ± 0.10"),
        ("binary_accuracy", None, "100.0%"),
        ("binary_accuracy", None, "98.7"),
        ("centroid_cosine", None, "-1.00"),
        ("right", 20, "0.35 ± 0.49"),
        ("rating", 10, "3.50 ± 0.53"),
        ("loss", 3, "120.4 ± 300"),
    ],
)
def test_what_can_be_raises_none(
    home: Path, quantity: str, number: int | None, printed: str
) -> None:
    found = checks_of(home, quantity, number, printed)
    assert [check.explanation for check in found.values() if check.verdict == "inconsistent"] == []


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [("170/164", "inconsistent"), ("164/164", "consistent"), ("0/20", "consistent")],
)
def test_a_count_lies_within_its_total(home: Path, printed: str, verdict: str) -> None:
    assert (
        checks_of(home, "solved_tasks", None, printed, statistic="single")["bounds"].verdict
        == verdict
    )


@pytest.mark.parametrize(("printed", "verdict"), [("0.07", "inconsistent"), ("0.00", "consistent")])
def test_nothing_has_changed_before_training(
    said: Callable[..., list[Check]], printed: str, verdict: str
) -> None:
    (check,) = said("bounds", {"printed": printed, "quantity": "weight_change", "step": 0})
    assert (check.verdict, check.printed) == (verdict, float(printed))


def test_so_many_values_that_every_print_is_possible_take_no_time(home: Path) -> None:
    begin = time.process_time()
    for quantity in ("right", "rating", "accuracy"):
        found = checks_of(home, quantity, 10**9, "0.35 ± 0.18")
        assert [
            check.explanation for check in found.values() if check.verdict == "inconsistent"
        ] == []
    assert time.process_time() - begin < 5


def test_the_numbers_of_values_that_would_do_are_named(home: Path) -> None:
    told = checks_of(home, "rating", 28, "5.19")["whole_mean"].explanation
    assert told.endswith("n = 27 or 31 would do")
    for n, fits in ((27, True), (28, False), (29, False), (30, False), (31, True)):
        assert any(f"{k / n:.2f}" == "5.19" for k in range(400)) == fits, "by hand"


@given(
    values=st.lists(st.integers(0, 10), min_size=2, max_size=60),
    digits=st.integers(1, 3),
    ddof=st.booleans(),
)
@settings(max_examples=60)
def test_whole_numbers_that_occurred_are_never_called_impossible(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], digits: int, ddof: bool
) -> None:
    spread = stdev(values) if ddof else pstdev(values)
    printed = f"{fmean(values):.{digits}f} ± {spread:.{digits}f}"
    found = checks_of(tmp_path_factory.mktemp("p"), "rating", len(values), printed)
    assert [check.explanation for check in found.values() if check.verdict == "inconsistent"] == []
    assert {"whole_mean", "whole_sd"} <= found.keys()


@given(values=st.lists(st.sampled_from([0, 1]), min_size=2, max_size=80), digits=st.integers(2, 3))
@settings(max_examples=60)
def test_zeros_and_ones_that_occurred_are_never_called_impossible(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], digits: int
) -> None:
    for spread in (stdev(values), stdev(values) / math.sqrt(len(values))):
        printed = f"{fmean(values):.{digits}f} ± {spread:.{digits}f}"
        found = checks_of(tmp_path_factory.mktemp("p"), "right", len(values), printed)
        assert [
            check.explanation for check in found.values() if check.verdict == "inconsistent"
        ] == []


@given(values=st.lists(st.floats(0, 1), min_size=2, max_size=12), percent=st.booleans())
@settings(max_examples=60)
def test_accuracies_that_occurred_are_never_called_impossible(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], percent: bool
) -> None:
    scale, unit = (100, "%") if percent else (1, "")
    printed = f"{scale * fmean(values):.2f}{unit} ± {scale * stdev(values):.2f}{unit}"
    found = checks_of(tmp_path_factory.mktemp("p"), "accuracy", len(values), printed, over="seed")
    assert [check.explanation for check in found.values() if check.verdict == "inconsistent"] == []


def brute(number: int, highest: int) -> Callable[[str, str], bool]:
    """Whether any sample of so many whole numbers prints so, with n − 1 or n: by trying all sums
    and sums of squares.
    """
    from itertools import combinations_with_replacement

    samples = list(combinations_with_replacement(range(highest + 1), number))
    prints = {
        (f"{fmean(one):.2f}", f"{sd:.2f}") for one in samples for sd in (stdev(one), pstdev(one))
    }
    return lambda mean, sd: (mean, sd) in prints


def test_what_no_sample_has_is_found_where_all_can_be_tried(home: Path) -> None:
    """Of five ratings from 0 to 6, declared as SD: never a false alarm, and most of what cannot be
    is found.
    """
    occurs = brute(5, 6)
    missed = tried = 0
    for number in range(120):
        mean, sd = f"{0.2 * (3 + number % 22):.2f}", f"{0.5 + 0.017 * number:.2f}"
        found = checks_of(home, "rating", 5, f"{mean} ± {sd} (SD)")
        said = found["whole_sd"].verdict == "inconsistent"
        if occurs(mean, sd):
            assert not said, (mean, sd)
        else:
            tried += 1
            missed += not said
    assert tried > 30
    assert missed / tried < 0.25, "sums of squares that no five numbers have, or ratings beyond 6"


def table_of(home: Path, *cells: str, quantity: str = "accuracy", unit: str = "") -> list[Check]:
    """The checks of bounds of a table's column."""
    rows = "".join(f"  | m{number} | {cell} |\n" for number, cell in enumerate(cells))
    home = home / "paper"
    home.mkdir(exist_ok=True)
    (home / "paper.yaml").write_text("id: paper\ntitle: A case\n")
    (home / "block.yaml").write_text(
        f"locator: Table 1\nunverifiable: made up\nkeys: {{M: model}}\n{unit}"
        f"columns: {{A: {{quantity: {quantity}}}}}\ntable: |\n  | M | A |\n  |--|--|\n{rows}"
    )
    return [check for check in audit(load_paper(home).claims) if check.check == "bounds"]


@pytest.mark.parametrize(
    ("cells", "quantity"),
    [
        (("0.8645 ± 0.0129", "0.8464 ± 0.0097", "7.9690 ± 0.0144"), "accuracy"),
        (("0.81", "0.79", "8.3", "0.80", "0"), "f1"),
        (("0.912", "1.02", "0.955"), "auroc"),
    ],
)
def test_a_value_above_1_in_a_column_of_fractions_is_none(
    home: Path, cells: tuple[str, ...], quantity: str
) -> None:
    found = [check for check in table_of(home, *cells, quantity=quantity) if check.verdict != "consistent"]  # fmt: skip
    assert [(check.verdict, check.severity) for check in found] == [("inconsistent", "substantive")]
    assert float(found[0].printed) > 1
    assert "between 0 and 1 by its table's other cells" in found[0].explanation


@pytest.mark.parametrize(
    ("cells", "quantity", "unit"),
    [
        (("0.8645", "0.8464", "0.7969", "1.0000"), "accuracy", ""),
        (("86.45", "0.64", "79.69"), "accuracy", ""),  # a column of percentages
        (("0.0", "0.0", "35.2"), "accuracy", ""),  # 0 is 0 in any unit
        (("0.61", "79.69"), "accuracy", ""),  # one other cell does not say which is wrong
        (("0.42", "0.80", "15.22"), "accuracy", "unit: percent\n"),
        (("0.86", "0.84", "7.9"), "loss", ""),
    ],
)
def test_a_column_that_can_be_is_left_alone(
    home: Path, cells: tuple[str, ...], quantity: str, unit: str
) -> None:
    found = table_of(home, *cells, quantity=quantity, unit=unit)
    assert {check.verdict for check in found} == ({"consistent"} if quantity != "loss" else set())


@pytest.mark.parametrize(
    ("cells", "quantity"),
    [(("0.95", "0.83", "1.10"), "error_rate"), (("0.6", "0.6", "3.7"), "accuracy")],
)
def test_small_percentages_are_left_open(home: Path, cells: tuple[str, ...], quantity: str) -> None:
    found = [check for check in table_of(home, *cells, quantity=quantity) if check.verdict != "consistent"]  # fmt: skip
    assert [(check.verdict, check.severity) for check in found] == [("undecidable", "rounding")]


@pytest.mark.parametrize("over", ["seed", "fold"])
@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ('{printed: "five", statistic: count}', "inconsistent"),
        ('{printed: "five", statistic: count, model: m0}', "inconsistent"),
        ('{printed: "five", statistic: count, model: m1}', None),  # of another model
        ('{printed: "five", statistic: count}, {printed: "4", statistic: count}', None),
        ('{printed: "0.9"}', None),
    ],
)
def test_a_number_of_runs_said_of_the_whole_paper_is_that_of_every_cell(
    home: Path, over: str, said: str, verdict: str | None
) -> None:
    home = home / "paper"
    home.mkdir()
    (home / "paper.yaml").write_text("id: paper\ntitle: A case\naxes: [fold]\nspread: sd\n")
    (home / "block.yaml").write_text(
        f"- locator: Table 1\n  unverifiable: made up\n  quantity: accuracy\n  over: {over}\n"
        "  keys: {M: model}\n  columns: {A: {}}\n  table: |\n    | M | A |\n    |--|--|\n"
        "    | m0 | 0.90 ± 0.60 |\n"
        f"- locator: §4\n  unverifiable: made up\n  quantity: accuracy\n  over: {over}\n"
        f"  statements:\n    - says: five, 4, 0.9\n      claims: [{said}]\n"
    )
    found = {check.check: check.verdict for check in audit(load_paper(home).claims)}
    assert found.get("sd_bound") == verdict
