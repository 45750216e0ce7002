"""Entropies on the page: what is drawn is what the store holds, beside random matrices."""

import math
from pathlib import Path
from typing import Any

import pytest

from repro.geometry.gaussian import gaussian_product_profile, gaussian_profile
from repro.manifest.load import load_models
from repro.report.page.content import Content
from repro.report.page.figures.entropies import profiles
from repro.store.database import query

PLACE = "canary-entropies-tiny-llama"
SHOWN = """SELECT condition, concept, direction, value FROM measurements JOIN runs USING (run_id)
WHERE experiment = 'canary_entropies' AND step = steps AND quantity = 'entanglement_entropy'
AND specification = 'default'"""


def rows(content: Content, name: str) -> list[dict[str, Any]]:
    figure = next(figure for figure in content.figures if figure.id == f"{name}-{PLACE}")
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def short(value: float) -> float:
    return float(f"{value:.5g}")


def test_profiles_are_means_over_layers_by_condition_and_module(
    measured: Content, evidence: Path
) -> None:
    """Attention too, whose heads and lengths are no cuts."""
    _, stored = query(evidence, f"{SHOWN} AND direction IS NOT NULL")
    layers: dict[tuple[str, str, int], list[float]] = {}
    for condition, concept, cut, value in stored:
        keys = dict(pair.split("=") for pair in concept.split(","))
        panel = f"update of {keys['module']}" if "module" in keys else "attention"
        layers.setdefault((condition, panel, cut + 1), []).append(value)
    drawn = {
        (row["condition"], row["panel"], row["cut"]): row["entropy"]
        for row in rows(measured, "entropy")
        if row["kind"] == "measured"
    }
    assert len(drawn) > 60
    assert drawn == pytest.approx({k: short(math.fsum(v) / len(v)) for k, v in layers.items()})


def test_random_matrices_of_each_shape_and_rank_stand_beside(measured: Content) -> None:
    shape = load_models()["tiny-llama"].architecture
    found = rows(measured, "entropy")
    for module in ("q_proj", "v_proj"):
        columns, lines = shape.linear_sizes[module]
        expected = {
            "lora": gaussian_product_profile(lines, columns, 4),
            "mps": gaussian_product_profile(lines, columns, 4),
            "full": gaussian_profile(lines, columns),
        }
        for condition, profile in expected.items():
            drawn = [
                row["entropy"] for row in found
                if (row["condition"], row["panel"], row["kind"]) == (condition, f"update of {module}", "random")
            ]  # fmt: skip
            assert drawn == [short(value) for value in profile]
        middles = {row["middle"] for row in found if row["panel"] == f"update of {module}"}
        assert middles == {math.log2(lines)}, "a site is a factor 2 of the rows"
    assert not [row for row in found if row["panel"] == "attention" and row["kind"] == "random"]


def test_each_runs_valley_and_slope_stand_beside_random_ones(
    measured: Content, evidence: Path
) -> None:
    for quantity in ("valley_depth", "volume_law_slope"):
        _, stored = query(
            evidence,
            "SELECT condition, concept, specification, value FROM measurements JOIN runs USING (run_id) "
            f"WHERE experiment = 'canary_entropies' AND step = steps AND quantity = '{quantity}' "
            "AND concept LIKE '%module=%'",
        )
        values = {
            (condition, concept.split("module=")[1], kind): value
            for condition, concept, kind, value in stored
        }
        drawn = {
            (row["condition"], row["module"], kind): row[field]
            for row in rows(measured, quantity.replace("_", "-"))
            for kind, field in (("default", "value"), ("gaussian", "random"))
        }
        assert len(drawn) == 12
        assert drawn == {key: short(value) for key, value in values.items()}


def test_attention_is_drawn_at_every_length(measured: Content, evidence: Path) -> None:
    _, stored = query(evidence, f"{SHOWN} AND concept LIKE '%length=%'")
    drawn = {
        (row["condition"], row["length"]): row["entropy"] for row in rows(measured, "attention")
    }
    assert {length for _, length in drawn} == {8, 16, 32}
    assert drawn == {(c, int(k.split("length=")[1])): short(v) for c, k, _, v in stored}


def test_a_model_that_is_not_known_here_has_its_profile_and_no_random_one() -> None:
    row = {
        "experiment": "e",
        "model": "elsewhere",
        "condition": "c",
        "step": 2,
        "runs": 1,
        "key": None,
    }
    part = "matrix=update,module=q_proj"
    (figure,) = profiles(
        [{**row, "part": part, "direction": cut, "value": 1.0} for cut in range(5)], {}
    )
    drawn = [dict(zip(figure.columns, line, strict=True)) for line in figure.rows]
    assert [(line["kind"], line["middle"]) for line in drawn] == [("measured", None)] * 5
