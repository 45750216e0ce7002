"""Rows of updates without a model in memory: means over layers, and what is undefined."""

import numpy as np
import pytest

from repro.diagnose.profiles import UpdateProfile, of_product, profile_rows
from repro.geometry.entropy import profile
from repro.geometry.undefined import Undefined

RNG = np.random.default_rng(0)
B, A = RNG.normal(size=(16, 2)), RNG.normal(size=(2, 16))


def test_a_product_has_the_profile_of_the_whole_matrix() -> None:
    found = of_product(B, A)
    assert isinstance(found, UpdateProfile)
    assert np.allclose(found.entropy, profile(B @ A))


def test_no_update_is_undefined_and_so_is_its_mean() -> None:
    zero = of_product(0 * B, A)
    assert isinstance(zero, Undefined)
    rows = list(profile_rows([("model.layers.0.self_attn.q_proj", zero)], 9))
    assert {row.reason for row in rows} == {zero.reason}


def test_means_are_over_the_layers_of_a_module_and_of_both() -> None:
    found = of_product(B, A)
    other = of_product(RNG.normal(size=(16, 2)), A)
    names = [f"model.layers.{layer}.self_attn.v_proj" for layer in (0, 1)]
    rows = list(profile_rows(zip(names, (found, other), strict=True), 9))
    value = {
        (row.quantity, row.concept, row.direction): row.value
        for row in rows
        if row.specification == "default"
    }
    middle = 3
    ends = [
        value["entanglement_entropy", f"matrix=update,module=v_proj,layer={layer}", middle]
        for layer in (0, 1)
    ]
    mean = value["entanglement_entropy", "matrix=update,module=v_proj", None]
    assert mean == pytest.approx(np.mean([end for end in ends if end is not None]))
    assert value["entanglement_entropy", "matrix=update", None] == mean
    assert value["entanglement_entropy", "matrix=update,module=q_proj", None] is None
