"""What a printed spread may be, beside numpy, scipy and statsmodels."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.audit.prints import PrintedNumbers
from repro.audit.readings import WANTED, from_runs, from_spreads, of_kind, quantiles, scale_interval
from repro.claims.algebra.interval import Interval, point

Read = Callable[..., PrintedNumbers]
LOSS = {"quantity": "loss", "model": "m", "condition": "B1"}


@given(
    values=st.lists(st.floats(0, 100), min_size=2, max_size=8), level=st.sampled_from([90.0, 95.0])
)
def test_every_reading_of_runs_is_that_of_the_libraries(values: list[float], level: float) -> None:
    n = len(values)
    sample, population = float(np.std(values, ddof=1)), float(np.std(values))
    t = float(stats.t.ppf(0.5 + level / 200, n - 1))
    normal = float(stats.norm.ppf(0.5 + level / 200))
    width = f"the half-width of the {level:g} % interval"
    expected = {
        "the SD dividing by n − 1": sample,
        "the SD dividing by n": population,
        "SD/√n": sample / math.sqrt(n),
        "SD/√n, the SD dividing by n": population / math.sqrt(n),
        f"{width}, t": t * sample / math.sqrt(n),
        f"{width}, normal": normal * sample / math.sqrt(n),
        f"{width}, t, the SD dividing by n": t * population / math.sqrt(n),
        f"{width}, normal, the SD dividing by n": normal * population / math.sqrt(n),
        "half the range": (max(values) - min(values)) / 2,
    }
    found = from_runs([point(value) for value in values], level)
    assert {name: one.middle for name, one in found.items()} == pytest.approx(expected, abs=1e-9)


def test_one_run_has_a_range_and_no_sample_sd() -> None:
    found = from_runs([point(3.0)])
    assert "the SD dividing by n − 1" not in found
    assert found["half the range"] == point(0.0)
    assert not [name for name in found if name.startswith("the half-width")]


def test_half_widths_are_students_and_the_normal() -> None:
    found = quantiles(95, 5)
    assert found == pytest.approx({"t": 2.7764451, "normal": 1.9599640})
    assert scale_interval(Interval(1, 2), found["t"]).high == pytest.approx(5.5528902)


def test_a_standard_error_follows_from_a_declared_sd_and_the_number_of_runs(read: Read) -> None:
    sd = {"printed": "0.30 ± 0.06 (SD)", "over": "seed", **LOSS}
    error = {"printed": "0.020", "statistic": "se", "over": "seed", **LOSS}
    nine = {"printed": "nine", "statistic": "count", **LOSS}
    prints = read(sd, error, nine)
    (claim,) = (one for one in prints.claims if one.statistic == "se")
    found = from_spreads(claim.term, prints.near(claim))
    assert found["the SD"].middle == pytest.approx(0.06)
    assert found["SD/√n"].middle == pytest.approx(0.02)
    assert found["the half-width of the 95 % interval, t"].middle == pytest.approx(
        0.02 * float(stats.t.ppf(0.975, 8))
    )
    without = read(sd, error)
    assert from_spreads(claim.term, without.near(claim)) == {}


def test_a_spread_that_nobody_declares_gives_no_other(read: Read) -> None:
    prints = read(
        {"printed": "0.30 ± 0.06", "over": "seed", **LOSS},
        {"printed": "0.020", "statistic": "se", "over": "seed", **LOSS},
        {"printed": "nine", "statistic": "count", **LOSS},
    )
    (claim,) = (one for one in prints.claims if one.statistic == "se")
    assert from_spreads(claim.term, prints.near(claim)) == {}


@pytest.mark.parametrize("statistic", WANTED)
def test_a_declared_spread_has_the_readings_of_its_kind_alone(read: Read, statistic: str) -> None:
    (claim,) = read({"printed": "0.2", "statistic": statistic, "over": "seed", **LOSS}).claims
    readings = from_runs([point(1.0), point(2.0), point(4.0)])
    mine = of_kind(claim, readings)
    assert 0 < len(mine) < len(readings)
    assert all(name.startswith(WANTED[statistic]) for name in mine)
    assert of_kind(claim.model_copy(update={"declared": False}), readings) == readings
