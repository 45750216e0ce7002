"""Sections of figures: all of them stand, and what would fill an empty one is said."""

from collections.abc import Callable
from types import ModuleType

from repro.claims.papers import load_claims
from repro.report.page.content import Content
from repro.report.page.measured import Measured
from repro.report.page.sections import WORDS, sections

EI = "entanglement_intensity"
SWEPT = {("sweep_entanglement_intensity", 0): 0.3, ("sweep_singular_value", 0): 4.0}


def test_of_nothing_every_section_stands_empty_and_says_what_would_fill_it() -> None:
    found = sections(Measured(None), [])
    assert [section.id for section in found] == list(WORDS)
    assert not any(section.figures for section in found)
    assert all("`" in section.empty for section in found)


def test_prints_alone_fill_the_sections_that_need_no_run() -> None:
    filled = {one.id for one in sections(Measured(None), load_claims()) if one.figures}
    assert filled == {"trajectories", "ladder", "crosstalk", "benchmarks", "sweep"} & filled
    assert {"trajectories", "ladder", "crosstalk", "benchmarks"} <= filled


def test_no_figure_has_the_id_of_another(measured: Content) -> None:
    ids = [figure.id for section in measured.sections for figure in section.figures]
    assert len(ids) > 30
    assert len(set(ids)) == len(ids)


def test_weights_drawn_at_random_are_left_out_where_scale_is_the_point(
    helper: Callable[[str], ModuleType],
) -> None:
    """Of the ladder and the sweep; their training is drawn like any other."""
    store = helper("verify/conftest.py").Store()
    models = ("tiny-llama", "tiny-qwen2", "qwen2.5-coder-7b", "llama-3.2-1b")
    for model in models:
        run = store.run(
            model,
            values={(EI, 0): 0.9, ("singular_value", 0, "", 0): 2.0, (EI, 9): 0.5,
                    ("singular_value", 9, "", 0): 3.0},
        )  # fmt: skip
        store.measure(run, SWEPT, specification="scale=2")
    found = {one.id: one.figures for one in sections(Measured(store.connection), [])}
    assert {figure.title.split(",")[0] for figure in found["trajectories"]} == set(models)
    (ladder,) = found["ladder"]
    assert {row[ladder.columns.index("model")] for row in ladder.rows} == set(models[2:])
    (sweep,) = found["sweep"]
    drawn = " ".join(str(row) for row in sweep.rows)
    assert "qwen2.5-coder-7b" in drawn
    assert "tiny" not in drawn
    store.connection.close()
