"""Each kind of claim on evidence whose truth is known, through the store; and how often the rules err."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from repro.execute.structures import Wanted, structures
from repro.verify.assess import assess, prints_by_source
from repro.verify.cells import Context
from repro.verify.columns import Row
from repro.verify.estimate import estimate
from repro.verify.evidence import Evidence
from repro.verify.judge import judge
from repro.verify.structure import asked
from repro.verify.verdict import Cell, Estimate, Verdict

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}


def outcome(verdicts: Sequence[Verdict], end: str = "c0") -> str:
    return next(verdict.outcome for verdict in verdicts if verdict.id.endswith(end))


@pytest.fixture
def judged(store, claims_of) -> Callable[..., list[Verdict]]:
    """Verdicts on claims, given the EI after training of each run (and before, 0.9)."""

    def run(*written: dict, after: Sequence[float], quantity: str = EI, **shared: object) -> list[Verdict]:
        claims = claims_of(*written, **shared)
        for seed, value in enumerate(after):
            values = {(quantity, 0): 0.9, (quantity, 5000): value}
            store.run(seed=seed, values=values, claims={claim.id: claim.digest for claim in claims})
        return assess(claims, store.connection)

    return run


SPREAD = {"printed": "0.641 ± 0.009", **AFTER}
BASE = {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.640, 0.645, 0.638, 0.642], "reproduced"),
        ([0.80, 0.81, 0.79, 0.805], "contradicted"),
        ([0.655], "reproduced"),
        ([0.30, 0.95, 0.70, 0.62], "consistent"),
    ],
)
def test_a_seed_mean_is_judged_by_its_prediction_interval(judged, after: list[float], expected: str):
    """The claimed effect is 0.304, its quarter 0.076; runs that scatter far more than the seeds prove nothing equal."""
    assert outcome(judged(SPREAD, BASE, SEEDS, after=after), "c0") == expected


def test_a_mean_whose_seeds_scatter_as_widely_as_its_effect_is_inconclusive(judged):
    wide = {"printed": "0.641 ± 0.299", **AFTER}
    verdict = judged(wide, BASE, SEEDS, after=[0.5])[0]
    assert verdict.outcome == "inconclusive"
    assert verdict.minimum_detectable is not None
    assert verdict.minimum_detectable > 0.304


@pytest.mark.parametrize(("after", "expected"), [([0.0, 0.0], "reproduced"), ([0.4, 0.4], "contradicted")])
def test_a_mean_printed_without_any_spread_is_judged_by_its_declared_margin(judged, after: list[float], expected: str):
    assert outcome(judged({"printed": "0.000 ± 0.000", **AFTER}, BASE, SEEDS, after=after), "c0") == expected


def test_a_run_that_scatters_contradicts_a_printed_sd_of_zero(judged):
    assert (
        outcome(judged({"printed": "0.000 ± 0.000", **AFTER}, SEEDS, after=[0.0, 0.0, 0.4]), "c0~1") == "contradicted"
    )


@pytest.mark.parametrize(
    ("after", "expected"),
    [(list(np.linspace(0.62, 0.66, 8)), "consistent"), (list(np.linspace(0.1, 0.9, 8)), "contradicted"), ([0.6, 0.62], "inconclusive")],
)  # fmt: skip
def test_a_printed_sd_is_judged_by_the_interval_of_the_ratio(judged, after: list[float], expected: str):
    verdicts = judged({"printed": "0.641 ± 0.013", **AFTER}, SEEDS, after=after)
    assert outcome(verdicts, "c0~1") == expected


def seeds_in_print(values: Sequence[float]) -> list[dict]:
    return [{"printed": f"{value:.3f}", **AFTER, "seed": seed} for seed, value in enumerate(values)]


@pytest.mark.parametrize(("own", "expected"), [(0.700, "reproduced"), (0.900, "consistent"), (1.500, "contradicted")])
def test_a_single_run_borrows_the_spread_of_its_siblings_in_print(judged, own: float, expected: str):
    base = {"printed": "2.000", "model": "m", "step": 0, "statistic": "mean"}
    written = [*seeds_in_print([0.683, 0.712, 0.640]), base]
    assert outcome(judged(*written, after=[own, 0.7, 0.7]), "c0") == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.2, 0.21, 0.19], "consistent"),
        ([1.5, 1.51, 1.49], "contradicted"),
        ([0.2], "inconclusive"),
        ([0.5, 1.3, 0.95], "inconclusive"),
    ],
)
def test_a_lone_run_without_any_printed_spread_is_judged_by_its_direction_only(judged, after: list[float], expected):
    """Printed: 0.926 → 0.683. Our 0.2 would be far off as a value; it fell, and that is all the print can vouch for."""
    written = [{"printed": "0.683", **AFTER}, {"printed": "0.926", "model": "m", "step": 0}]
    verdict = judged(*written, after=after)[0]
    assert verdict.outcome == expected


@pytest.mark.parametrize(
    ("sets", "expected"),
    [((0.91, 0.93, 0.94, 0.92), "consistent"), ((0.21, 0.23, 0.24, 0.22), "contradicted"), ((0.93,), "inconclusive")],
)
def test_a_base_value_is_compared_with_the_spread_between_our_probe_sets(store, claims_of, sets, expected: str):
    claims = claims_of({"printed": "0.926", "model": "m", "step": 0}, {"printed": "0.100", **AFTER})
    for number, value in enumerate(sets):
        store.run(condition="B0", seed=None, values={(EI, 0): value}, probe_set=f"set{number}", experiment=f"e{number}")
    assert outcome(assess(claims, store.connection)) == expected


def test_a_base_value_on_unpublished_probes_is_never_called_reproduced(store, claims_of):
    claims = claims_of({"printed": "0.926", "model": "m", "step": 0}, {"printed": "0.100", **AFTER})
    for number in range(6):
        values = {(EI, 0): 0.926 + number * 1e-5}
        store.run(condition="B0", seed=None, values=values, probe_set=f"set{number}", experiment=f"e{number}")
    assert outcome(assess(claims, store.connection)) == "consistent"


COUNT = {"quantity": "humaneval_plus", "model": "m", "measured_by": "scale_ladder"}


@pytest.mark.parametrize(("solved", "expected"), [(96, "reproduced"), (98, "reproduced"), (99, "contradicted")])
def test_the_same_weights_solve_the_same_problems_within_two(store, claims_of, solved: int, expected: str):
    claims = claims_of({"printed": "96/164", "condition": "B0", **COUNT})
    store.run(condition="B0", seed=None, values={("humaneval_plus", 0): solved}, n=164)
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == "inconclusive"
    assert f"({expected}: " in verdict.reason, "the runs carry no digest of the claim: it was stated after them"
    store.connection.execute("UPDATE runs SET claims = ?", [f'{{"{claims[0].id}": "{claims[0].digest}"}}'])
    assert outcome(assess(claims, store.connection)) == expected


@pytest.mark.parametrize(("solved", "expected"), [(61, "consistent"), (120, "contradicted"), (0, "contradicted")])
def test_a_retrained_count_is_judged_by_its_binomial_prediction_interval(store, claims_of, solved, expected: str):
    claims = claims_of(
        {"printed": "60/164", "condition": "B3", "step": 5000, **COUNT},
        {"printed": "96/164", "condition": "B0", **COUNT},
    )
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(values={("humaneval_plus", 5000): solved}, n=164, claims=sealed)
    assert outcome(assess(claims, store.connection)) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [([0.612, 0.61, 0.614, 0.609], "reproduced"), ([1.2, 1.21, 1.19, 1.2], "contradicted")],
)
def test_a_relative_change_is_computed_from_measurements_like_the_print(judged, after: list[float], expected: str):
    change = {
        "printed": "32%",
        "statistic": "relative_change",
        "sign": -1,
        "of": "mean",
        "against": {"step": 0},
        **AFTER,
    }
    spread = {"printed": "0.641 ± 0.005", **AFTER}
    verdict = judged(change, spread, {"printed": "0.945 ± 0.001", "model": "m", "step": 0}, SEEDS, after=after)[0]
    assert verdict.outcome == expected
    assert verdict.estimate == pytest.approx(100 * (np.mean(after) / 0.9 - 1))


ORDER = {"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}, **AFTER}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.5, 0.52, 0.51], "reproduced"),
        ([1.5, 1.52, 1.51], "contradicted"),
        ([0.5, 1.3, 0.8], "inconclusive"),
        ([0.5], "inconclusive"),
    ],
)
def test_an_ordering_is_judged_by_its_bootstrap_probability(judged, after: list[float], expected: str):
    assert outcome(judged(ORDER, after=after)) == expected


def test_a_trend_over_models_is_judged_by_its_bootstrap_probability(store, claims_of):
    claims = claims_of(
        {"printed": "monotonically", "statistic": "monotone", "order": "decreasing", "over": "model", "of": "mean",
         "among": ["a", "b", "c"], "condition": "B3", "step": 5000},
        {"printed": "monotonically", "statistic": "monotone", "order": "increasing", "over": "model", "of": "mean",
         "among": ["a", "b", "c"], "condition": "B3", "step": 5000},
        {"printed": "largest", "statistic": "highest", "which": "a", "over": "model", "of": "mean",
         "among": ["a", "b", "c"], "condition": "B3", "step": 5000},
    )  # fmt: skip
    sealed = {claim.id: claim.digest for claim in claims}
    for model, mean in {"a": 0.64, "b": 0.06, "c": 0.0}.items():
        for seed in range(3):
            store.run(model, seed=seed, values={(EI, 5000): mean + 0.01 * seed * (mean > 0)}, claims=sealed)
    assert [verdict.outcome for verdict in assess(claims, store.connection)] == [
        "reproduced",
        "contradicted",
        "reproduced",
    ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [([0.9, 0.901, 0.899, 0.9], "reproduced"), ([0.3, 0.31, 0.29, 0.3], "contradicted"), ([0.6, 1.2], "inconclusive")],
)
def test_absence_of_an_effect_must_be_shown(judged, after: list[float], expected: str):
    stable = {"printed": "stable", "statistic": "no_effect", "of": "mean", "against": {"step": 0}, **AFTER}
    printed = [{"printed": "0.500", **AFTER, "statistic": "mean"}, {"printed": "0.900", "model": "m", "step": 0}]
    assert outcome(judged(stable, *printed, after=after)) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [([0.3, 0.31, 0.29], "reproduced"), ([0.9, 0.901, 0.899, 0.9], "contradicted"), ([0.6, 1.2], "inconclusive")],
)
def test_significance_is_not_refuted_by_a_weak_test(judged, after: list[float], expected: str):
    differs = {"printed": "significantly", "statistic": "significant", "of": "mean", "against": {"step": 0}, **AFTER}
    printed = [{"printed": "0.500", **AFTER, "statistic": "mean"}, {"printed": "0.900", "model": "m", "step": 0}]
    assert outcome(judged(differs, *printed, after=after)) == expected


@pytest.mark.parametrize(("zeros", "expected"), [(8, "reproduced"), (0, "contradicted"), (2, "contradicted")])
def test_what_all_seeds_do_is_judged_as_a_count_of_runs(judged, zeros: int, expected: str):
    collapse = {"printed": "all 8 seeds", "statistic": "all", "where": {"equals": 0}, **AFTER}
    assert outcome(judged(collapse, SEEDS, after=[0.0] * zeros + [0.5] * (8 - zeros))) == expected


def test_a_correlation_is_judged_by_fishers_interval(store, claims_of):
    conditions = ["B1", "B2", "B3", "B4", "B5", "B6"]
    claim = {"printed": "-0.94", "statistic": "spearman", "over": "condition", "among": conditions, "model": "m", "step": 5000,
             "of": {"quantity": "adapter_energy"}, "against": {"quantity": "humaneval_plus"}}  # fmt: skip
    (one,) = claims_of(claim)
    for number, condition in enumerate(conditions):
        values = {("adapter_energy", 5000): float(number), ("humaneval_plus", 5000): 90.0 - 5 * number}
        store.run(condition=condition, values=values, claims={one.id: one.digest})
    falling = assess([one], store.connection)[0]
    assert falling.estimate == pytest.approx(-1)
    assert falling.outcome == "consistent", "six points can just tell −0.94 from none"
    store.connection.execute("UPDATE measurements SET value = 100 - value WHERE quantity = 'humaneval_plus'")
    assert assess([one], store.connection)[0].outcome == "contradicted"


@pytest.mark.parametrize(
    ("b2", "b3", "expected"), [(79, 60, "reproduced"), (40, 100, "contradicted"), (75, 70, "inconclusive")]
)
def test_a_printed_z_is_recomputed_from_the_measured_counts(store, claims_of, b2: int, b3: int, expected: str):
    (claim,) = claims_of(
        {"printed": "2.12", "statistic": "z", "against": {"condition": "B3"}, "condition": "B2", "step": 5000, **COUNT}
    )
    for condition, solved in (("B2", b2), ("B3", b3)):
        store.run(
            condition=condition, values={("humaneval_plus", 5000): solved}, n=164, claims={claim.id: claim.digest}
        )
    assert outcome(assess([claim], store.connection)) == expected


@pytest.mark.parametrize(
    ("printed", "quantity", "expected"),
    [("64", "lora_rank", "reproduced"), ("32", "lora_rank", "contradicted"), ("3%", "warmup", "reproduced"),
     ("1×10^{-4}", "learning_rate", "reproduced"), ("5000", "steps", "reproduced")],
)  # fmt: skip
def test_a_protocol_constant_is_compared_with_the_setting_that_runs_have_used(
    store, claims_of, printed, quantity, expected: str
):
    (claim,) = claims_of({"printed": printed, "quantity": quantity, "kind": "protocol"})
    assert outcome(assess([claim], None)) == "not_run", "a setting alone is no evidence"
    store.run(values={("loss", 1): 1.0}, claims={claim.id: claim.digest})
    assert outcome(assess([claim], store.connection)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({"printed": "896", "quantity": "lora_matrices", "kind": "structural"}, "reproduced"),
     ({"printed": "895", "quantity": "lora_matrices", "kind": "structural"}, "contradicted"),
     ({"printed": "32.5B", "quantity": "parameters", "kind": "vendor_label"}, "reproduced"),
     ({"printed": "34B", "quantity": "parameters", "kind": "vendor_label"}, "contradicted"),
     ({"printed": "grouped-query", "quantity": "grouped_query_attention", "value": "yes", "kind": "structural"}, "reproduced"),
     ({"printed": "sliding-window attention", "quantity": "sliding_window", "value": "yes", "kind": "structural"}, "contradicted")],
)  # fmt: skip
def test_a_structural_number_is_compared_with_the_real_architecture(claims_of, cache, fields: dict, expected: str):
    """Built by the worker; without its records nothing is known."""
    claims = claims_of({**fields, "model": "qwen2.5-coder-32b"})
    pairs = asked(claims, lambda _: None)
    assert ("scale_ladder", "qwen2.5-coder-32b") in pairs
    records = structures([Wanted(*pair) for pair in pairs.values()], cache, print)
    assert outcome(assess(claims, None, built=dict(zip(pairs, records, strict=True)))) == expected
    assert outcome(assess(claims, None)) == "not_run"


def test_what_follows_from_the_definition_is_shown(claims_of):
    formula = {
        "printed": "48",
        "statistic": "formula",
        "formula": "3 * 4 * 4",
        "quantity": "probes",
        "kind": "by_construction",
    }
    bare = {"printed": "0.0", "kind": "by_construction"}
    noted = {**bare, "note": "no damage across concepts makes the numerator 0"}
    wrong = {**formula, "printed": "49"}
    verdicts = assess(claims_of(formula, bare, noted, wrong), None)
    assert [verdict.outcome for verdict in verdicts] == ["reproduced", "inconclusive", "reproduced", "contradicted"]


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (["shape"] * 4, "reproduced"),
        (["register"] * 4, "contradicted"),
        (["shape"], "inconclusive"),
        (["shape", "domain"], "inconclusive"),
    ],
)
def test_a_category_is_decided_by_enough_runs_that_agree(store, claims_of, votes: list[str], expected: str):
    (claim,) = claims_of({"printed": "shape", "quantity": "weakest_concept", "model": "m", "step": 0, "reads": "text"})
    for seed, concept in enumerate(votes):
        store.run(seed=seed, values={("weakest_concept", 0, concept): 1e-4}, claims={claim.id: claim.digest})
    assert outcome(assess([claim], store.connection)) == expected


def test_what_cannot_be_verified_says_why(claims_of):
    claims = claims_of({"printed": "60×", "unverifiable": "about another paper's models"})
    verdict = assess(claims, None)[0]
    assert (verdict.outcome, verdict.reason) == ("unverifiable", "about another paper's models")


def test_a_statistic_over_seeds_of_a_change_pairs_each_run_with_its_own_start(store, claims_of):
    """Changes −0.1 and −0.5 with median −0.3; unpaired medians would give the same, their minimum would not."""
    change = {"statistic": "difference", "against": {"step": 0}}
    claims = claims_of(
        {"printed": "-0.50", "statistic": "min", "of": change, **AFTER},
        {"printed": "2 of 2", "statistic": "count_where", "where": {"below": 0}, "of": change, **AFTER},
    )
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, (before, after) in enumerate([(0.9, 0.8), (1.2, 0.7)]):
        store.run(seed=seed, values={(EI, 0): before, (EI, 5000): after}, claims=sealed)
    lowest, falls = assess(claims, store.connection)
    assert lowest.estimate == pytest.approx(-0.5)
    assert falls.estimate == 2


def test_nothing_run_never_passes(judged):
    """Every kind that needs a run is not_run without one, whatever is printed."""
    verdicts = judged(SPREAD, BASE, SEEDS, ORDER, *seeds_in_print([0.0, 0.0]), after=[])
    assert {verdict.outcome for verdict in verdicts} == {"not_run"}


def test_numbers_of_a_diverged_run_never_count(store, claims_of):
    claims = claims_of(SPREAD, BASE, SEEDS)
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(seed=0, values={(EI, 5000): 0.641}, status="diverged", claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == "inconclusive"
    assert "diverged" in verdict.reason
    store.run(seed=1, values={(EI, 5000): 0.645}, claims=sealed)
    healthy = assess(claims, store.connection)[0]
    assert (healthy.n, healthy.estimate) == (1, 0.645), "the healthy run alone"


def test_an_undefined_value_is_left_out_and_named(store, claims_of):
    claims = claims_of(SPREAD, BASE, SEEDS)
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(seed=0, values={(EI, 5000): None}, claims=sealed)
    assert assess(claims, store.connection)[0].outcome == "inconclusive"
    store.run(seed=1, values={(EI, 5000): 0.64}, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert verdict.n == 1
    assert verdict.artefacts["health"]["left_out"] == ["seed 0: no direction damages its own concept"]


def test_the_newest_run_of_a_slot_counts_once(store, claims_of):
    claims = claims_of(SPREAD, BASE, SEEDS)
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(seed=0, values={(EI, 5000): 0.1}, claims=sealed)
    store.run(seed=0, values={(EI, 5000): 0.64}, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert (verdict.n, verdict.estimate) == (1, 0.64)


# ---- error rates of the whole rules, not only of the tests below them


def rates(claim, make: Callable[[np.random.Generator], Estimate], simulations: int = 2000) -> dict[str, float]:
    rng = np.random.default_rng(0)
    found = [judge(claim, make(rng)).outcome for _ in range(simulations)]
    return {name: found.count(name) / simulations for name in set(found)}


def repeated(claim, rng, *, shift: float, n: int, m: int, sd: float, effect: float) -> tuple:
    """A paper's n seeds and our m runs, drawn anew: the claim as it would be printed, and the estimate."""
    theirs, ours = rng.normal(0.5, sd, n), rng.normal(0.5 + shift, sd, m)
    mean = float(theirs.mean())
    cell = Cell(
        name="EI", mean=float(ours.mean()), sd=float(ours.std(ddof=1)) if m > 1 else None, runs=m,
        printed_sd=float(theirs.std(ddof=1)), printed_seeds=n, averaged=n,
    )  # fmt: skip
    estimate = Estimate(state="measured", value=cell.mean, cells=(cell,), effect=effect)
    return claim.model_copy(update={"value": mean, "low": mean, "high": mean}), estimate


def mean_rates(claims_of, **truth) -> dict[str, float]:
    claim = claims_of({"printed": "0.5", "statistic": "mean", **AFTER})[0]
    rng = np.random.default_rng(1)
    found = [judge(*repeated(claim, rng, **truth)).outcome for _ in range(2000)]
    return {name: found.count(name) / 2000 for name in ("reproduced", "consistent", "contradicted", "inconclusive")}


@pytest.mark.parametrize(("n", "m"), [(3, 1), (3, 3), (8, 2), (8, 8)])
def test_a_true_mean_is_contradicted_in_at_most_five_percent(claims_of, n: int, m: int):
    found = mean_rates(claims_of, shift=0.0, n=n, m=m, sd=0.1, effect=0.3)
    assert found["contradicted"] <= 0.065


def test_the_contradiction_level_is_reached_when_equivalence_cannot_interfere(claims_of):
    found = mean_rates(claims_of, shift=0.0, n=3, m=2, sd=0.1, effect=0.041)
    assert found["contradicted"] == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(("n", "m"), [(3, 1), (3, 3), (8, 8)])
def test_a_mean_off_by_the_margin_is_called_reproduced_in_at_most_five_percent(claims_of, n: int, m: int):
    found = mean_rates(claims_of, shift=0.1, n=n, m=m, sd=0.03, effect=0.4)
    assert found["reproduced"] <= 0.065


def test_the_rules_can_tell(claims_of):
    """The control: plain truths and plain untruths are recognised."""
    assert mean_rates(claims_of, shift=0.0, n=8, m=8, sd=0.02, effect=0.4)["reproduced"] > 0.99
    assert mean_rates(claims_of, shift=1.0, n=8, m=8, sd=0.02, effect=0.4)["contradicted"] > 0.99
    assert mean_rates(claims_of, shift=0.0, n=3, m=1, sd=0.3, effect=0.2)["inconclusive"] > 0.9


def test_a_false_ordering_is_called_true_in_at_most_five_percent(claims_of):
    """Equal truths: "below" is called reproduced, and contradicted, in 5 % each."""
    (claim,) = claims_of(ORDER)
    rng = np.random.default_rng(2)
    found = []
    for _ in range(2000):
        evidence = Evidence()
        add_cells(evidence, {0: rng.normal(0.5, 0.1, 3), 5000: rng.normal(0.5, 0.1, 3)})
        found.append(judge(claim, estimate(claim, Context(evidence, prints_by_source([claim])))).outcome)
    assert found.count("reproduced") / 2000 <= 0.065
    assert found.count("contradicted") / 2000 <= 0.065
    assert found.count("reproduced") / 2000 >= 0.02


def add_cells(evidence: Evidence, steps: dict[int, np.ndarray]) -> None:
    by_step = {step: Row(np.arange(len(values)), values, None, 48) for step, values in steps.items()}
    evidence.rows["scale_ladder", EI, "default"][None, None, None]["m", "B3"] = by_step


def test_a_true_count_is_contradicted_in_at_most_five_percent(claims_of):
    (claim,) = claims_of({"printed": "60/164", "condition": "B3", "step": 5000, **COUNT})

    def make(rng: np.random.Generator) -> Estimate:
        theirs, ours = (int(rng.binomial(164, 0.4)) for _ in range(2))
        cell = Cell(name="HE+", mean=ours, sd=6.0, runs=1, binomial=True)
        return Estimate(
            state="measured",
            value=float(ours),
            cells=(cell,),
            counted=(ours, 164),
            printed_counted=(theirs, 164),
            effect=0.2,
        )

    assert rates(claim, make)["contradicted"] <= 0.06
