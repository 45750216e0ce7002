"""What needs no run: manifest fields and architecture facts."""

import pytest

from repro.claims.algebra.interval import Category, Interval, Levels
from repro.claims.claim import Term
from repro.geometry.undefined import Undefined
from repro.verify.facts.compare import compare_setting
from repro.verify.facts.settings import settings_of

LADDER = settings_of("scale_ladder")


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (Term(quantity="lora_alpha"), Interval(128, 128)),
        (Term(quantity="diagnostics_every"), Interval(500, 500)),
        (Term(quantity="double_quantisation"), Category("yes")),
        (Term(quantity="targets"), Category("all linear layers")),
        (Term(quantity="schedule"), Category("cosine")),
        (Term(quantity="data_share", selector={"condition": "B3", "dataset": "code"}), Interval(0.7, 0.7)),
        (Term(quantity="steps", selector={"condition": "B3"}), Interval(5000, 5000)),
        (Term(statistic="count", quantity="x", over="seed", selector={"model": "qwen2.5-coder-32b"}), Interval(8, 8)),
        (Term(statistic="count", quantity="target_modules", over="module", among=("q_proj", "nonsense")), Interval(1, 1)),
        (Term(statistic="levels", quantity="cardinalities", over="concept"), Levels((3, 4, 4))),
    ],
    ids=lambda value: getattr(value, "quantity", ""),
)  # fmt: skip
def test_a_setting_is_found_by_the_name_a_claim_gives_it(term: Term, expected) -> None:
    found = LADDER.base(term)
    if isinstance(expected, Levels) and isinstance(found, Levels):
        assert sorted(found.values) == sorted(expected.values)
    else:
        assert found == expected


def test_a_setting_the_manifest_lacks_is_missing_and_so_is_an_unwritten_manifest() -> None:
    assert isinstance(LADDER.base(Term(quantity="no_such_setting")), Undefined)
    assert LADDER.base(Term(quantity="max_new_tokens")) == Undefined(
        "the manifest scale_ladder sets no max new tokens"
    )
    unwritten = settings_of("announced_only").base(Term(quantity="lora_rank"))
    assert isinstance(unwritten, Undefined)
    assert "announced_only is not here" in unwritten.reason


def steps_of(model: str | None, condition: str = "B3-B2") -> object:
    given = {"condition": condition} if model is None else {"condition": condition, "model": model}
    return settings_of("reversibility").base(Term(quantity="steps", selector=given))


def test_the_steps_of_a_condition_are_those_of_its_variant_that_the_model_is_run_under() -> None:
    assert steps_of("qwen2.5-coder-32b") == Interval(5000, 5000)
    assert steps_of("qwen2.5-coder-14b") == Interval(1500, 1500)
    assert steps_of(None) == Interval(1500, 1500)
    assert isinstance(steps_of("mistral-7b-v0.3", "no-such"), Undefined)


def test_the_number_of_concepts_is_not_their_list_of_classes() -> None:
    among = ("domain", "register", "shape")
    counted = Term(statistic="count", quantity="cardinalities", over="concept", among=among)
    assert settings_of("dynamics").base(counted) == Interval(3, 3)
    fewer = counted.model_copy(update={"among": (*among, "no such concept")})
    assert settings_of("dynamics").base(fewer) == Interval(3, 3)


def sweep(statistic: str, over: str, **selector: object) -> object:
    return settings_of("csr_lambda").base(
        Term.model_validate(
            {"statistic": statistic, "quantity": "csr_loss", "over": over, "selector": selector}
        )
    )


def test_a_sweep_over_strengths_is_run_by_the_conditions_that_have_them() -> None:
    assert sweep("levels", "lambda", condition="B4") == Levels((0.03, 0.1, 0.3))
    assert sweep("count", "lambda", condition="B4", seed=0) == Interval(3, 3)
    assert sweep("levels", "seed", condition="B4") == Levels((0,))
    assert isinstance(sweep("levels", "lambda", condition="B2"), Undefined)


def test_a_penalty_without_its_gradient_is_a_condition_only_where_it_is_named() -> None:
    assert sweep("levels", "condition") == Levels(("B4-0.03", "B4-0.1", "B4-0.3"))
    assert sweep("levels", "lambda", condition="B4-0.3-detached") == Levels((0.3,))


def test_the_probe_sets_of_a_manifest_are_levels_and_a_recipe_has_a_size_without_its_texts() -> (
    None
):
    validation = settings_of("probe_validation")
    seen = Term(
        statistic="count",
        quantity="entanglement_intensity",
        over="probe_set",
        selector={"condition": "B3"},
    )
    assert validation.base(seen) == Interval(3, 3)
    assert validation.base(Term(quantity="probes", selector={"probe_set": "real_132"})) == Interval(
        132, 132
    )
    assert validation.base(Term(quantity="probes")) == Interval(60, 60), "the manifest's own set"


def test_crosstalk_has_five_companions_and_a_matrix_of_all_six_domains() -> None:
    crosstalk = settings_of("crosstalk")
    assert crosstalk.base(
        Term(statistic="count", quantity="crosstalk", over="companion")
    ) == Interval(5, 5)
    assert crosstalk.base(Term(quantity="damage_matrix_size")) == Interval(36, 36)
    assert crosstalk.base(Term(quantity="probes_per_domain")) == Interval(80, 80)


def test_a_condition_on_the_data_of_another_names_it() -> None:
    companions = settings_of("companions")
    assert companions.base(Term(quantity="data_of", selector={"condition": "B4"})) == Category("B2")
    assert isinstance(
        companions.base(Term(quantity="data_of", selector={"condition": "B6"})), Undefined
    )


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [("dynamics", "mixture"), ("reversibility", "mixture, steps, continues")],
)
def test_what_conditions_differ_in_is_read_off_the_manifest(manifest: str, expected: str) -> None:
    assert settings_of(manifest).base(Term(quantity="differing_fields")) == Category(expected)


def test_one_condition_differs_from_nothing() -> None:
    assert isinstance(
        settings_of("dynamics").base(
            Term(quantity="differing_fields", selector={"condition": "B2"})
        ),
        Undefined,
    )


@pytest.mark.parametrize(
    ("quantity", "value", "expected"),
    [
        ("diagnostics_layer", "terminal", "as_printed"),
        ("diagnostics_layer", "Final layer", "as_printed"),
        ("diagnostics_layer", "pre-norm", "differs"),
        ("diagnostics_layer", "embedding", "differs"),
        ("quantisation_format", "4-bit NF4", "as_printed"),
        ("quantisation_format", "int8", "differs"),
        ("schedule", "Cosine schedule", "as_printed"),
        ("schedule", "linear", "differs"),
        ("targets", "all linear layers", "as_printed"),
        ("targets", "attention-only", "differs"),
        ("targets", "down_proj, up_proj, gate_proj, o_proj, v_proj, k_proj, q_proj", "as_printed"),
        (
            "targets",
            ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
            "as_printed",
        ),
        ("targets", ["q_proj"], "differs"),
        ("gradient_checkpointing", True, "as_printed"),
        ("gradient_checkpointing", "on", "as_printed"),
        ("gradient_checkpointing", False, "differs"),
        ("compute", "bf16", "as_printed"),
        ("compute", "fp32", "differs"),
        ("pooling", "last token", "differs"),
    ],
)
def test_words_are_compared_by_what_they_mean(
    claims_of, quantity: str, value: object, expected: str
) -> None:
    (claim,) = claims_of(
        {"printed": "as it may be", "kind": "protocol", "quantity": quantity, "value": value}
    )
    assert compare_setting(claim, LADDER).outcome == expected
