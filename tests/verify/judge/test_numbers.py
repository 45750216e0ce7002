"""Printed numbers with a spread (means, standard deviations, single runs, base values, changes)
against known runs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from repro.claims.claim import Claim
from repro.verify.assess import assess
from repro.verify.verdict import Verdict

NAMES = ("scale_ladder", "e1", "e2", "e3", "e4", "e5")
"""The claims' own manifest, and others."""
EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
SPREAD = {"printed": "0.641 ± 0.009", **AFTER}
BASE = {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}
Judged = Callable[..., list[Verdict]]
Claims = Callable[..., list[Claim]]
Outcome = Callable[..., str]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.640, 0.645, 0.638, 0.642], "reproduced"),
        ([0.80, 0.81, 0.79, 0.805], "contradicted"),
        ([0.655], "reproduced"),
        ([0.30, 0.95, 0.70, 0.62], "consistent"),
    ],
)
def test_a_seed_mean_is_judged_by_its_prediction_interval(
    outcome: Outcome, judged: Judged, after: list[float], expected: str
) -> None:
    """The claimed effect is 0.304, its quarter 0.076; runs that scatter far more than the seeds
    prove nothing equal.
    """
    assert outcome(judged(SPREAD, BASE, SEEDS, after=after), "c0") == expected


@pytest.mark.parametrize(
    ("printed", "unit", "scale"), [("0.941 ± 0.003", "", 1.0), ("94.1 ± 0.3", "percent", 100.0)]
)
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.9405, 0.9413, 0.9411, 0.9408, 0.9415], "reproduced"),
        ([0.901, 0.9013, 0.9011, 0.9008, 0.9015], "contradicted"),
    ],
)
def test_a_share_is_judged_alike_as_a_fraction_and_in_percent(
    judged: Judged, printed: str, unit: str, scale: float, values: list[float], expected: str
) -> None:
    """The margin where no effect is printed is 0.01, which is one point."""
    claim = {"printed": printed, **AFTER, **({"unit": unit} if unit else {})}
    verdict = judged(claim, SEEDS, after=[scale * value for value in values])[0]
    assert verdict.outcome == expected


def test_a_mean_whose_seeds_scatter_as_widely_as_its_effect_is_inconclusive(judged: Judged) -> None:
    wide = {"printed": "0.641 ± 0.299", **AFTER}
    verdict = judged(wide, BASE, SEEDS, after=[0.5])[0]
    assert verdict.outcome == "inconclusive"
    assert verdict.minimum_detectable is not None
    assert verdict.minimum_detectable > 0.304


def seeds_in_print(values: Sequence[float]) -> list[dict[str, Any]]:
    return [{"printed": f"{value:.3f}", **AFTER, "seed": seed} for seed, value in enumerate(values)]


@pytest.mark.parametrize(
    ("own", "expected"), [(0.700, "reproduced"), (0.900, "consistent"), (1.500, "inconclusive")]
)
def test_a_single_run_borrows_the_spread_of_its_siblings_in_print(
    outcome: Outcome, judged: Judged, own: float, expected: str
) -> None:
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
def test_a_lone_run_without_any_printed_spread_is_judged_by_its_direction_only(
    judged: Judged, after: list[float], expected: str
) -> None:
    """Printed: 0.926 → 0.683. Our 0.2 would be far off as a value; it fell, and that is all the
    print can vouch for.
    """
    written = [{"printed": "0.683", **AFTER}, {"printed": "0.926", "model": "m", "step": 0}]
    verdict = judged(*written, after=after)[0]
    assert verdict.outcome == expected


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        ((0.91, 0.93, 0.94, 0.92), "consistent"),
        ((0.21, 0.23, 0.24, 0.22), "contradicted"),
        ((0.93,), "inconclusive"),
    ],
)
def test_a_base_value_is_compared_with_the_spread_between_our_probe_sets(
    outcome: Outcome, store: Any, claims_of: Claims, sets: tuple[float, ...], expected: str
) -> None:
    claims = claims_of({"printed": "0.926", "model": "m", "step": 0}, {"printed": "0.100", **AFTER})
    for number, value in enumerate(sets):
        store.run(
            condition="B0", seed=None, values={(EI, 0): value}, probe_set=f"set{number}", experiment=NAMES[number],
            claims={claim.id: claim.digest for claim in claims},
        )  # fmt: skip
    assert outcome(assess(claims, store.connection)) == expected


def test_a_base_value_is_not_measured_by_other_manifests_alone(
    outcome: Outcome, store: Any, claims_of: Claims
) -> None:
    """Their runs were planned without its rule; they only tell how far probe sets differ."""
    claims = claims_of({"printed": "0.926", "model": "m", "step": 0}, {"printed": "0.100", **AFTER})
    for number in range(1, 5):
        store.run(
            condition="B0",
            seed=None,
            values={(EI, 0): 0.9},
            probe_set=f"set{number}",
            experiment=NAMES[number],
        )
    assert outcome(assess(claims, store.connection)) == "not_run"


def test_a_base_value_on_unpublished_probes_is_never_called_reproduced(
    outcome: Outcome, store: Any, claims_of: Claims
) -> None:
    claims = claims_of({"printed": "0.926", "model": "m", "step": 0}, {"printed": "0.100", **AFTER})
    for number in range(6):
        values = {(EI, 0): 0.926 + number * 1e-5}
        store.run(
            condition="B0", seed=None, values=values, probe_set=f"set{number}", experiment=NAMES[number],
            claims={claim.id: claim.digest for claim in claims},
        )  # fmt: skip
    assert outcome(assess(claims, store.connection)) == "consistent"


@pytest.mark.parametrize(
    ("after", "expected"),
    [([0.612, 0.61, 0.614, 0.609], "reproduced"), ([1.2, 1.21, 1.19, 1.2], "contradicted")],
)
def test_a_relative_change_is_computed_from_measurements_like_the_print(
    judged: Judged, after: list[float], expected: str
) -> None:
    change = {
        "printed": "32%",
        "statistic": "relative_change",
        "sign": -1,
        "of": "mean",
        "against": {"step": 0},
        **AFTER,
    }
    spread = {"printed": "0.641 ± 0.005", **AFTER}
    verdict = judged(
        change, spread, {"printed": "0.945 ± 0.001", "model": "m", "step": 0}, SEEDS, after=after
    )[0]
    assert verdict.outcome == expected
    assert verdict.estimate == pytest.approx(100 * (np.mean(after) / 0.9 - 1))
