"""Entropies of updates on a tiny model, beside those of the dense updates."""

from pathlib import Path

import numpy as np
import pytest

from repro.diagnose.updates import base_weights, update_rows
from repro.evidence.part import part_keys, part_name
from repro.geometry.entropy import profile, valley_depth
from repro.train.model import load_base
from tests.diagnose.cells import by_cell
from tests.train.adapters.tiny import adapted, disturbed, protocol, updates


@pytest.mark.parametrize("kind", ["lora", "mps", "full"])
def test_update_rows_are_those_of_the_dense_update_beside_random_ones(
    tiny_llama: Path, kind: str
) -> None:
    model = adapted(tiny_llama, kind)
    base = base_weights(model) if kind == "full" else {}
    start = by_cell(list(update_rows(model, base, 0)))
    assert set(start.values()) == {None}
    disturbed(model)
    found = by_cell(list(update_rows(model, base, 5)))
    dense = updates(model) if kind != "full" else {}
    depths = []
    for layer in range(2):
        for module in ("q_proj", "v_proj"):
            name = f"model.layers.{layer}.self_attn.{module}"
            if kind == "full":
                update = model.get_submodule(name).weight.detach().double().numpy() - base[name]  # type: ignore[union-attr, operator]  # a linear module's weight
            else:
                update = dense[f"base_model.model.{name}"].double().numpy()
            expected = profile(update)
            where = part_name(matrix="update", module=module, layer=layer)
            values = [
                found["entanglement_entropy", where, cut, "default"] for cut in range(len(expected))
            ]
            assert values == pytest.approx(expected, abs=1e-5)
            depths.append(valley_depth(expected, len(update)))
    assert found["valley_depth", "matrix=update", None, "default"] == pytest.approx(
        np.mean(depths), abs=1e-5
    )
    for name in ("valley_depth", "volume_law_slope", "entanglement_entropy"):
        own, random = (found[name, "matrix=update", None, how] for how in ("default", "gaussian"))
        assert own is not None
        assert random is not None
        assert found[f"{name}_beyond_random", "matrix=update", None, "default"] == pytest.approx(
            own - random
        )


def test_an_untrained_model_has_no_update(tiny_llama: Path) -> None:
    rows = list(update_rows(load_base(tiny_llama, protocol("lora")), {}, 0))
    assert {row.value for row in rows} == {None}
    assert {row.reason for row in rows} == {"nothing is trained on q_proj or v_proj"}


def test_parts_are_named_in_one_order_and_read_back() -> None:
    name = part_name(scope="linear", matrix="update", layer=3)
    assert name == "matrix=update,layer=3,scope=linear"
    assert part_keys(name) == {"matrix": "update", "layer": "3", "scope": "linear"}
    assert part_keys("creative_writing") == part_keys("a=b") == part_keys("math~code") == {}
    with pytest.raises(TypeError, match="depth"):
        part_name(depth=3)
