"""How a term is walked, and which cell a selector means."""

from repro.claims.term import Term

EI = "entanglement_intensity"
BEFORE = Term(quantity=EI, selector={"model": "m", "condition": "B3", "step": 0})
AFTER = Term(quantity=EI, selector={"model": "m", "condition": "B3", "step": 5000})
MEAN = Term(statistic="mean", quantity=EI, over="seed", of=AFTER)
FALL = Term(statistic="difference", quantity=EI, of=MEAN, against=BEFORE)
SHARE = Term(statistic="share", quantity="models", over="model", among=("m", "n"), of=FALL)


def test_a_term_is_walked_from_itself_down_and_its_leaves_are_its_cells() -> None:
    assert list(SHARE.walk()) == [SHARE, FALL, MEAN, AFTER, BEFORE]
    assert SHARE.leaves() == (AFTER, BEFORE)
    assert list(SHARE.paths()) == [(SHARE, FALL, MEAN, AFTER), (SHARE, FALL, BEFORE)]
    assert AFTER.leaves() == (AFTER,)


def test_a_term_rests_on_the_quantities_of_its_cells_and_not_on_what_it_is_called() -> None:
    assert SHARE.quantities() == {EI}
    assert FALL.model_copy(update={"against": Term(quantity="margin")}).quantities() == {
        EI,
        "margin",
    }


def test_a_statistic_over_seeds_speaks_of_one_cell_and_a_comparison_of_none() -> None:
    assert MEAN.cell == AFTER
    assert AFTER.cell == AFTER
    assert FALL.cell is None
    assert SHARE.cell is None
    followed = Term(statistic="collapse_step", quantity=EI, selector={"model": "m"})
    assert followed.cell == Term(quantity="collapse_step", selector={"model": "m"})
