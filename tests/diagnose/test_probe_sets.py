"""The same checkpoints seen through several probe sets."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from repro.manifest.load import MANIFESTS, load_experiment
from repro.manifest.probes import PROBES, load_probe_set
from repro.plan.expand import expand, local_environment

SMOKE = (MANIFESTS / "smoke.yaml").read_text()
HEAD, _ = SMOKE.split("arms:")
SMALL = HEAD.replace(
    "also: [interval, nulls, scale_sweep, specification, similarity, crosstalk]",
    "also: [similarity]",
)
ARMS = "arms:\n  - {models: [tiny-qwen2], conditions: [B1], seeds: [0]}\n"


def manifest(folder: Path, name: str, sets: str) -> Path:
    """The smoke manifest cut to one short run, on these probe sets."""
    text = SMALL.replace("id: smoke", f"id: {name}").replace("probe_set: factorial_48", sets)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(text + ARMS)
    return folder / f"{name}.yaml"


def rows(results: Path, experiment: str) -> list[dict[str, object]]:
    """Every measurement of the one run of an experiment."""
    files = sorted((results / "runs" / experiment).glob("*/steps/*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


@pytest.fixture
def own_set(tmp_path: Path) -> Path:
    """A user's own folder with a set: every other text of diverse_60, under another name."""
    shutil.copytree(PROBES / "diverse_60", tmp_path / "half")
    declared = (
        (tmp_path / "half" / "concepts.yaml").read_text().replace("id: diverse_60", "id: half")
    )
    (tmp_path / "half" / "concepts.yaml").write_text(declared)
    lines = (PROBES / "diverse_60" / "probes.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "half" / "probes.jsonl").write_text("".join(lines[::2]))
    return tmp_path / "half"


def test_a_further_set_gives_the_numbers_it_would_give_as_the_runs_own(
    repro, tmp_path: Path, own_set: Path
) -> None:
    both = manifest(tmp_path, "both", f"probe_set: factorial_48\nalso_probe_sets: ['{own_set}']")
    alone = manifest(tmp_path, "alone", f"probe_set: '{own_set}'")
    for path in (both, alone):
        done = repro("run", str(path))
        assert done.returncode == 0, done.stdout + done.stderr
    seen = rows(tmp_path / "results", "both")
    further = [{**row, "probe_set": None} for row in seen if row["probe_set"] == "half"]
    expected = [row for row in rows(tmp_path / "results", "alone") if row["layer"]]
    assert further == expected, (
        "EI anchored to its own step 0, loadings, similarity: all the same bits"
    )
    assert {row["step"] for row in further} == {0, 3, 6}
    assert any(row["quantity"] == "heldout_loss" and row["probe_set"] is None for row in seen)
    (folder,) = (tmp_path / "results" / "runs" / "both").iterdir()
    assert {path.name for path in (folder / "activations").iterdir()} >= {
        "000006.safetensors",
        "000006.half.safetensors",
    }
    assert json.loads((folder / "run.json").read_text())["key"]["also_probe_sets"] == {
        "half": load_probe_set(own_set).content_hash
    }
    assert repro("ingest").returncode == 0
    found = repro(
        "sql",
        "SELECT probe_set, count(ei) FROM trajectories GROUP BY 1 ORDER BY 1",
        "--format",
        "csv",
    )
    assert found.stdout.splitlines()[1:] == ["factorial_48,3", "half,6"]


def test_a_further_set_is_part_of_a_runs_name_and_where_it_lies_is_not(
    tmp_path: Path, own_set: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(own_set, moved)
    ids = [
        expand(load_experiment(str(manifest(tmp_path, "one", sets))), local_environment())[0].id
        for sets in (
            "probe_set: factorial_48",
            f"probe_set: factorial_48\nalso_probe_sets: ['{own_set}']",
            f"probe_set: factorial_48\nalso_probe_sets: ['{moved}']",
        )
    ]
    assert ids[0] != ids[1] == ids[2]


def test_a_set_named_twice_is_refused(repro, tmp_path: Path) -> None:
    path = manifest(tmp_path, "twice", "probe_set: core_60\nalso_probe_sets: [core_60]")
    done = repro("plan", str(path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "given twice" in done.stderr
