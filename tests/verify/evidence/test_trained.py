"""Which condition a claim on a λ means: fields decide, not the end of a name."""

from pathlib import Path

import pytest

from repro.manifest.load import load_experiment, place_manifest
from repro.plan.expand import expand, local_environment
from repro.shipped import ROOT
from repro.verify.evidence.trained import name_condition, planned_variants

NAMES = {"B4-0.03": "gentle", "B4-0.1": "B4-0.3-detached", "B4-0.3-detached": "silent"}
"""Other names for the conditions of csr_lambda, one of them misleading."""


def renamed_manifest(folder: Path) -> str:
    """Write csr_lambda under another name, with other names of its conditions."""
    text = (ROOT / "manifests" / "csr_lambda.yaml").read_text("utf-8")
    for number, name in enumerate(NAMES):
        for end in (":", ",", "]"):
            text = text.replace(f" {name}{end}", f" <{number}>{end}")
            text = text.replace(f"[{name}{end}", f"[<{number}>{end}")
    for number, name in enumerate(NAMES.values()):
        text = text.replace(f"<{number}>", name)
    path = folder / "csr_named_otherwise.yaml"
    text = text.replace("id: csr_lambda", f"id: {path.stem}")
    path.write_text(text, "utf-8")
    return place_manifest(path, "test")


@pytest.mark.parametrize(
    ("selector", "condition"),
    [
        ({"lambda": 0.03}, "B4-0.03"),
        ({"condition": "B4", "lambda": 0.1}, "B4-0.1"),
        ({"lambda": 0.3, "gradient": "detached"}, "B4-0.3-detached"),
    ],
)
def test_a_strength_selects_the_variant_that_trains_it(
    selector: dict[str, str | float], condition: str
) -> None:
    assert name_condition("csr_lambda", selector)["condition"] == condition


def test_variants_are_found_whatever_they_are_called(tmp_path: Path) -> None:
    name = renamed_manifest(tmp_path)
    assert {"gentle", "silent"} <= planned_variants(name, "B4").keys()
    assert name_condition(name, {"lambda": 0.03})["condition"] == "gentle"
    assert name_condition(name, {"lambda": 0.1})["condition"] == "B4-0.3-detached"
    silent = name_condition(name, {"lambda": 0.3, "gradient": "detached"})
    assert silent["condition"] == "silent"


def test_a_strength_that_nothing_trains_selects_nothing() -> None:
    found = name_condition("csr_lambda", {"condition": "B4", "lambda": 0.07})
    assert found["condition"] not in load_experiment("csr_lambda").conditions


def test_step_0_is_the_base_model_at_any_strength() -> None:
    assert name_condition("csr_lambda", {"lambda": 0.03, "step": 0}) == {"step": 0}


def test_being_a_variant_renames_no_run() -> None:
    told = load_experiment("csr_lambda")
    untold = told.model_copy(
        update={
            "conditions": {
                name: condition.model_copy(update={"variant_of": None})
                for name, condition in told.conditions.items()
            }
        }
    )
    ids = [[run.id for run in expand(one, local_environment())] for one in (told, untold)]
    assert ids[0] == ids[1]
