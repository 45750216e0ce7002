"""What follows from an architecture is read off the record of the model as it was built."""

from collections.abc import Callable

import pytest

from repro.claims.algebra.interval import Category, Interval, Value
from repro.claims.claim import Claim
from repro.geometry.undefined import Undefined
from repro.manifest.adapters import Lora
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.plan.structure import BuiltAdapter, Structure
from repro.verify.facts.structure import structural, structural_pairs

Claims = Callable[..., list[Claim]]
SELECTED = {"model": "qwen2.5-coder-7b"}
BUILT = Structure(
    parameters=7_615_616_512, linear_parameters=6_525_616_128, hidden_size=3584, layers=28, heads=28, kv_heads=4,
    head_size=128, sliding_window=None,
    adapter=BuiltAdapter(modules={"q_proj": 28}, matrices=392, parameters=161_480_704, shapes={}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("parameters", Interval(7_615_616_512, 7_615_616_512)),
        ("hidden_size", Interval(3584, 3584)),
        ("lora_matrices", Interval(392, 392)),
        ("trainable_parameters", Interval(161_480_704, 161_480_704)),
        ("grouped_query_attention", Category("yes")),
        ("sliding_window", Category("no")),
    ],
)
def test_a_structural_quantity_is_that_of_the_record(quantity: str, expected: Value) -> None:
    """Of the selected model under the manifest's own adapter; without a record it is missing, and
    the reason says so.
    """
    assert (
        structural(
            quantity, SELECTED, "scale_ladder", {("scale_ladder", "qwen2.5-coder-7b"): BUILT}
        )
        == expected
    )
    missing = structural(quantity, SELECTED, "scale_ladder", {})
    assert isinstance(missing, Undefined)
    assert "has not been built" in missing.reason


def test_a_window_and_as_many_key_heads_as_heads_are_read_the_other_way() -> None:
    """The control of yes and no."""
    other = BUILT.model_copy(update={"sliding_window": 4096, "kv_heads": 28})
    built = {("", "qwen2.5-coder-7b"): other}
    assert structural("sliding_window", SELECTED, None, built) == Category("yes")
    assert structural("grouped_query_attention", SELECTED, None, built) == Category("no")


@pytest.mark.parametrize("selector", [{"model": "unheard-of-7b"}, {}])
def test_a_model_that_is_in_no_catalogue_has_no_architecture(selector: dict[str, str]) -> None:
    found = structural("layers", selector, "scale_ladder", {})
    assert isinstance(found, Undefined)
    assert "is not in manifests/models.yaml" in found.reason


def test_models_are_built_for_the_manifests_of_claims_on_architectures_alone(
    claims_of: Claims,
) -> None:
    """Each with its manifest's protocol, or the default where it has none."""
    layers = {"printed": "64", "quantity": "layers", "kind": "structural"}
    claims = claims_of(
        {**layers, "measured_by": "scale_ladder"},
        {**layers, "measured_by": "frontier"},
        {"printed": "64", "quantity": "lora_rank", "kind": "protocol", "measured_by": "dynamics"},
        {"printed": "0.641", "model": "m", "condition": "B3", "measured_by": "laptop"},
    )
    own = Training(lora=Lora(rank=3))
    pairs = structural_pairs(claims, lambda name: own if name == "frontier" else None)
    assert {name for name, _ in pairs} == {"scale_ladder", "frontier"}
    assert {model for _, model in pairs} == load_models().keys()
    assert pairs["frontier", "tiny-llama"] == (load_models()["tiny-llama"], own)
    assert pairs["scale_ladder", "tiny-llama"][1] == Training()
    assert structural_pairs(claims[2:], lambda _: None) == {}
