"""Every reading of the definition equals its own brute-force script."""

from collections import Counter

import pytest

from repro.geometry.diagnosis import diagnose
from repro.geometry.labels import Labels
from repro.geometry.ridge import spectrum
from repro.geometry.specification import (
    RELATIVE,
    Specification,
    SpecifiedValue,
    share,
    specification_curve,
)
from repro.geometry.undefined import Undefined


@pytest.mark.worker
@pytest.mark.parametrize(("seed", "n", "d"), [(0, 14, 5), (1, 12, 30)])
def test_every_reading_equals_a_brute_force_script(brute, design, seed, n, d) -> None:
    X, columns = design(seed, n, d, (3, 2), signal=0.8, offset=0.5)
    trace = spectrum(X).trace
    penalties = {"absolute": 1.0, "anchored": 4.0} | {
        f"relative:{rho:g}": rho * trace / n for rho in RELATIVE
    }
    readings = specification_curve({"given": X}, Labels.of(columns), {"given": trace / 4})
    assert len(readings) == 2**5 * 6
    compared = 0
    for reading in readings:
        s = reading.specification
        expected, gap = brute.reading(
            X,
            list(columns.values()),
            penalties[s.alpha],
            s.removal,
            s.directions,
            s.centring,
            s.clip,
            s.own,
        )
        if gap > 1e-8:
            compared += 1
            if expected is None:
                assert isinstance(reading.value, Undefined)
            else:
                assert reading.value == pytest.approx(expected), s
    assert compared > 150


def test_the_default_reading_is_the_diagnosis(design) -> None:
    X, columns = design(2, 30, 60, (3, 4))
    readings = specification_curve({"default": X}, Labels.of(columns))
    default = [r.value for r in readings if r.specification == Specification()]
    assert default == pytest.approx([diagnose(X, columns).entanglement_intensity])


def test_each_capture_is_read_in_every_way_and_anchored_only_where_there_is_an_anchor(
    design,
) -> None:
    X, columns = design(3, 16, 6)
    readings = specification_curve(
        {"post_norm": X, "pre_norm": 2 * X}, Labels.of(columns), {"post_norm": 10.0}
    )
    assert Counter(r.specification.capture for r in readings) == {"post_norm": 192, "pre_norm": 160}
    assert len({r.specification for r in readings}) == len(readings)


def test_relative_readings_do_not_depend_on_scale_and_absolute_ones_do(design) -> None:
    X, columns = design(4, 48, 100, (3, 4, 4), signal=0.5)

    def values(scale, alpha):
        curve = specification_curve({"x": scale * X}, Labels.of(columns))
        return [r.value for r in curve if r.specification.alpha == alpha]

    assert values(1.0, "relative:0.01") == pytest.approx(values(1 / 64, "relative:0.01"))
    assert values(1.0, "absolute") != pytest.approx(values(1 / 64, "absolute"))


def test_share_counts_undefined_readings_as_not_holding() -> None:
    readings = [SpecifiedValue(Specification(), v) for v in (0.5, 2.0, Undefined("none"), 3.0)]
    assert share(readings, lambda ei: ei > 1) == 0.5
