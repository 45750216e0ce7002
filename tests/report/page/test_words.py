"""What the page's words mean, and what conditions are called."""

from repro.claims.papers import load_claims
from repro.manifest.load import load_experiment
from repro.report.page.words import GLOSSARY, OF_PRINTS, conditions


def test_conditions_are_told_in_the_words_of_their_manifests() -> None:
    told = dict(conditions(load_claims(), [], {}))
    assert "natural language" in told["B3"]
    assert {f"B{number}" for number in range(7)} <= set(told)


def test_a_condition_has_the_titles_of_every_manifest_that_runs_it() -> None:
    """A run alone names its manifest; one given by its file comes before one of the same name."""
    smoke = load_experiment("smoke")
    told = conditions([], [{"experiment": "smoke"}], {})
    assert told == sorted((name, one.title) for name, one in smoke.conditions.items())
    renamed = {
        name: one.model_copy(update={"title": f"mine: {one.title}"})
        for name, one in smoke.conditions.items()
    }
    mine = smoke.model_copy(update={"conditions": renamed})
    runs = [{"experiment": "smoke"}, {"experiment": "mine"}]
    both = dict(conditions([], runs, {"mine": mine}))
    assert both == {
        name: f"mine: {one.title}; {one.title}" for name, one in smoke.conditions.items()
    }


def test_a_manifest_that_is_not_here_adds_no_condition() -> None:
    assert conditions([], [{"experiment": "nothing_of_that_name"}], {}) == []


def test_the_words_of_prints_are_words_of_the_page() -> None:
    assert set(OF_PRINTS) < GLOSSARY.keys()
    assert all(meaning.endswith(".") for meaning in GLOSSARY.values())
