"""Scale sweep: same activations, other scales."""

import numpy as np
import pytest

from repro.geometry.diagnosis import diagnose
from repro.geometry.labels import Labels
from repro.geometry.ridge import spectrum
from repro.geometry.sweep import PublishedPair, overlay, scale_at, scale_sweep
from repro.geometry.undefined import Undefined


def test_a_point_of_the_sweep_is_the_diagnosis_of_multiplied_activations(design) -> None:
    X, columns = design(1, 30, 60, (3, 4))
    for point in scale_sweep(spectrum(X), Labels.of(columns), [0.01, 0.3, 1.0, 20.0]):
        g = diagnose(point.scale * X, columns)
        assert point.entanglement_intensity == pytest.approx(g.entanglement_intensity)
        assert point.v_purity == pytest.approx(g.v_purity)
        assert point.sigma_1 == pytest.approx(g.singular_values[0])
        assert point.accuracy == pytest.approx(g.accuracy)


def test_scale_alone_moves_intensity_by_a_factor_while_every_concept_stays_readable() -> None:
    """The artefact the sweep is there to show: a planted geometry, nothing about it changed but its
    scale.
    """
    rng = np.random.default_rng(0)
    codes = np.array(np.meshgrid(range(3), range(4), range(4), indexing="ij")).reshape(3, -1).T
    X = rng.normal(size=(48, 40)) @ rng.normal(size=(40, 300)) * 0.3
    for j, strength in enumerate((2.0, 0.8, 0.5)):
        X += strength * rng.normal(size=(4, 300))[codes[:, j]]
    labels = Labels.of(
        {
            name: [str(v) for v in codes[:, j]]
            for j, name in enumerate(("domain", "register", "shape"))
        }
    )
    large, small = scale_sweep(spectrum(X), labels, [30.0, 0.3])
    assert large.entanglement_intensity > 10 * small.entanglement_intensity
    assert min(*large.accuracy.values(), *small.accuracy.values()) == 1.0
    assert large.v_purity == pytest.approx(small.v_purity, abs=0.02)
    assert small.sigma_1 > 10 * large.sigma_1


def test_a_published_singular_value_is_met_at_the_scale_found(design) -> None:
    X, columns = design(3, 30, 60, (3, 4))
    labels = Labels.of(columns)
    scale = scale_at(spectrum(X), labels, 0.01)
    assert diagnose(scale * X, columns).singular_values[0] == pytest.approx(0.01)
    (_, point), (_, beyond) = overlay(
        spectrum(X),
        labels,
        [PublishedPair("a", 0.01, 0.6, "a table"), PublishedPair("b", 1e6, 0.0, "a table")],
    )
    assert point.scale == pytest.approx(scale)
    assert isinstance(beyond, Undefined)
