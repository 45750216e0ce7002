"""The printed numbers as a lookup: the nearest print of a cell, its levels and its totals."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.audit.prints import PrintedNumbers, describe, over_seeds, printed_place, together
from repro.claims.algebra.interval import Interval
from repro.claims.papers import load_paper
from repro.claims.term import Term
from repro.geometry.undefined import Undefined

Read = Callable[..., PrintedNumbers]
CELL = Term(quantity="loss", selector={"model": "m"})
LOSS = {"quantity": "loss", "model": "m"}


def in_places(home: Path, *prints: tuple[str, str]) -> PrintedNumbers:
    """Return the prints of one cell, each at its own place: (locator, print)."""
    (home / "paper.yaml").write_text("id: paper\ntitle: A case\n")
    for number, (locator, printed) in enumerate(prints):
        (home / f"b{number}.yaml").write_text(
            f'locator: "{locator}"\nunverifiable: made up\nquantity: loss\nmodel: m\nstatements:\n'
            f'  - says: "{printed}"\n    claims: [{{printed: "{printed}"}}]\n'
        )
    return PrintedNumbers(load_paper(home).claims)


def test_a_value_is_taken_from_the_print_nearest_to_the_claim(tmp_path: Path) -> None:
    home = tmp_path / "paper"
    home.mkdir()
    prints = in_places(home, ("Table 1", "0.10"), ("Table 1 caption", "0.20"), ("§4", "0.30"))
    lookup = prints.near(prints.claims[0])
    value = lookup.base(CELL)
    assert isinstance(value, Interval)
    assert value.middle == pytest.approx(0.20), "a table and its caption are one place"
    assert list(lookup.read) == [prints.claims[1].id]


def test_a_claim_is_not_looked_up_in_itself(read: Read) -> None:
    prints = read({"printed": "0.10", **LOSS})
    found = prints.near(prints.claims[0]).base(CELL)
    assert found == Undefined("not printed: loss (m)")
    assert isinstance(prints.near(None).base(CELL), Interval)


def test_about_never_stands_for_what_is_printed_to_its_decimals(read: Read) -> None:
    prints = read({"printed": "about 0.95", **LOSS}, {"printed": "0.951", **LOSS})
    value = prints.near(None).base(CELL)
    assert isinstance(value, Interval)
    assert (value.low, value.high) == pytest.approx((0.9505, 0.9515))


def test_a_bound_alone_is_no_value(read: Read) -> None:
    found = read({"printed": "< 0.9", **LOSS}).near(None).base(CELL)
    assert found == Undefined("printed only as a bound: < 0.9")


def test_a_mean_stands_in_for_a_cell_without_a_seed_and_the_other_way_round(read: Read) -> None:
    mean = Term(quantity="loss", selector={"model": "m"}, statistic="mean", over="seed")
    other = {
        "printed": "0.30",
        "quantity": "loss",
        "model": "n",
        "statistic": "mean",
        "over": "seed",
    }
    only_mean = read({**other, "printed": "0.10", "model": "m"}, other).near(None)
    only_cell = read({"printed": "0.10", **LOSS}, other).near(None)
    assert only_mean.base(CELL) == only_mean.base(mean) == only_cell.base(mean)
    of_one_seed = CELL.model_copy(update={"selector": {"model": "m", "seed": 1}})
    assert isinstance(only_mean.base(of_one_seed), Undefined)


def test_levels_are_those_listed_else_those_printed(read: Read) -> None:
    cells = [{"printed": f"0.{seed}", "seed": seed, **LOSS} for seed in (7, 3, 5)]
    assert read(*cells).near(None).levels(CELL, "seed") == (3, 5, 7)
    listed = {"printed": "3 to 9", "value": [3, 5, 7, 9], "statistic": "levels", "over": "seed"}
    assert read(*cells, {**listed, **LOSS}).near(None).levels(CELL, "seed") == (3, 5, 7, 9)
    four = {"printed": "four", "statistic": "count", **LOSS}
    assert read(*cells, four).near(None).levels(CELL, "seed") == (), "one of them is missing"


def test_a_total_is_that_of_the_count_else_of_its_quantity(read: Read) -> None:
    prints = read({"printed": "79/164", "quantity": "solved", "model": "m"})
    lookup = prints.near(None)
    assert lookup.total(Term(quantity="solved", selector={"model": "m"})) == 164
    assert lookup.total(Term(quantity="solved", selector={"model": "n"})) == 164
    assert lookup.total(Term(quantity="passed", selector={"model": "m"})) is None


ends = st.tuples(st.floats(-9, 9), st.floats(0.001, 3)).map(lambda e: Interval(e[0], e[0] + e[1]))


@given(st.lists(ends, min_size=1, max_size=5))
def test_prints_together_allow_what_all_allow_or_their_hull(known: list[Interval]) -> None:
    found = together(known)
    if max(i.low for i in known) <= min(i.high for i in known):
        assert all(i.low <= found.low <= found.high <= i.high for i in known)
    else:
        assert all(found.low <= i.low + 1e-8 and i.high - 1e-8 <= found.high for i in known)


def test_a_term_is_described_in_words_its_names_first() -> None:
    selector = {"step": 500, "condition": "B3", "model": "qwen"}
    ei = Term(quantity="ei", selector=selector, statistic="mean", over="seed")
    assert describe(ei) == "mean over seed of ei (qwen, B3, step 500)"
    gap = Term(statistic="difference", quantity="ei", of=ei, against=CELL)
    assert describe(gap).endswith("of mean over seed of ei (qwen, B3, step 500) against loss (m)")


def test_cells_that_name_no_seed_are_read_as_means_at_every_depth() -> None:
    gap = Term(statistic="difference", quantity="loss", of=CELL, against=CELL)
    assert [leaf.statistic for leaf in over_seeds(gap).leaves()] == ["mean", "mean"]
    seeded = CELL.model_copy(update={"selector": {"model": "m", "seed": 1}})
    assert over_seeds(seeded) == seeded
    assert printed_place("Table 3 caption") == printed_place("Table 3") != printed_place("Table 4")
