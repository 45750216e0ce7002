"""A run belongs to no manifest: measured once, asked for by many; what a manifest asks for now is
what counts.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.evidence.asked import write_asked
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.execute.folders import place_run, place_runs, prepare
from repro.files import write_json
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.store.check import compare_with_folders
from repro.store.database import connect, query
from repro.store.ingest import ingest

MANIFEST = """
id: {name}
title: two runs
image: local
probe_set: factorial_48
domains: {{code: [standard_library]}}
conditions:
  {condition}: {{title: code, phases: [{{steps: 2, mixture: {{code: 1.0}}}}]}}
training: {{lora: {{rank: 4}}, optimizer: {{learning_rate: {rate}}}, compute: float32}}
arms: [{{models: [tiny-qwen2], conditions: [{condition}], seeds: {seeds}}}]
"""
ROWS = "SELECT experiment, slot, status, folder FROM runs ORDER BY ALL"


def runs(
    folder: Path, name: str, seeds: list[int], rate: float = 0.01, condition: str = "only"
) -> tuple[Run, ...]:
    """The runs of a manifest that is written so now."""
    path = folder / f"{name}.yaml"
    path.write_text(MANIFEST.format(name=name, seeds=seeds, rate=rate, condition=condition))
    return expand(load_experiment(str(path)), local_environment())


def carry_out(asked: tuple[Run, ...], results: Path, seal: str | None = None) -> None:
    """What `repro run` does, with numbers that come from the run's own rate and seed."""
    write_asked(results, asked[0].experiment, asked)
    for one in place_runs(asked, results):
        if one.state != "finished":
            folder = prepare(one, seal)
            for step in (0, 2):
                value = one.run.training.optimizer.learning_rate + (one.run.seed or 0) + step
                row = Measurement(
                    step=step,
                    quantity="entanglement_intensity",
                    value=value,
                    n=48,
                    layer="post_norm",
                )
                folder.append(step, [row])
            folder.finish("done")


def test_two_manifests_share_a_run_and_its_measurements_are_stored_once(tmp_path: Path) -> None:
    """The one that made it has its folder; the other calls it by a name of its own."""
    results = tmp_path / "results"
    carry_out(runs(tmp_path, "first", [0]), results)
    second = runs(tmp_path, "second", [0, 1], condition="mine")
    states = [one.state for one in place_runs(second, results)]
    assert states == ["finished", "new"]
    carry_out(second, results)
    assert ingest(results).refused == ()
    made = {
        path.parent.name: f"{path.parent.name}/{path.name}"
        for path in (results / "runs").glob("*/*")
    }
    assert query(results, ROWS)[1] == [
        ("first", "tiny-qwen2-only-s0", "done", made["first"]),
        ("second", "tiny-qwen2-mine-s0", "done", made["first"]),
        ("second", "tiny-qwen2-mine-s1", "done", made["second"]),
    ]
    assert query(results, "SELECT count(*), count(DISTINCT run_id) FROM measurements")[1] == [
        (4, 2)
    ]
    curves = "SELECT experiment, condition, seed, ei FROM trajectories WHERE step = 2 ORDER BY ALL"
    assert query(results, curves)[1] == [
        ("first", "only", 0, 2.01),
        ("second", "mine", 0, 2.01),
        ("second", "mine", 1, 3.01),
    ]


def test_a_parameter_that_is_put_back_brings_its_run_back(tmp_path: Path) -> None:
    """What the manifest asks for now counts, whatever finished last and whatever the clock said."""
    results, rate = (
        tmp_path / "results",
        "SELECT status, json_extract(key, '$.training.optimizer.learning_rate')::DOUBLE",
    )
    for learning_rate in (0.01, 0.02):
        carry_out(runs(tmp_path, "mine", [0], learning_rate), results)
        ingest(results)
        assert ("done", learning_rate) in query(results, f"{rate} FROM runs")[1]
    carry_out(runs(tmp_path, "mine", [0], 0.01), results)
    with (
        connect(results) as connection,
        pytest.raises(EvidenceError, match=r"asked/mine.json: changed since the store was"),
    ):
        compare_with_folders(results, connection)
    ingest(results)
    assert query(results, f"{rate} FROM runs ORDER BY ALL")[1] == [
        ("done", 0.01),
        ("superseded", 0.02),
    ]
    assert query(results, "SELECT ei FROM trajectories ORDER BY step")[1] == [(0.01,), (2.01,)]
    with connect(results) as connection:
        compare_with_folders(results, connection)


def test_a_run_that_its_maker_asks_for_no_longer_still_counts_for_another(tmp_path: Path) -> None:
    results = tmp_path / "results"
    carry_out(runs(tmp_path, "first", [0, 1]), results)
    carry_out(runs(tmp_path, "second", [1]), results)
    carry_out(runs(tmp_path, "first", [0]), results)
    ingest(results)
    assert [row[:3] for row in query(results, ROWS)[1]] == [
        ("first", "tiny-qwen2-only-s0", "done"),
        ("first", "tiny-qwen2-only-s1", "superseded"),
        ("second", "tiny-qwen2-only-s1", "done"),
    ]
    assert {
        row[0] for row in query(results, "SELECT experiment FROM trajectories WHERE seed = 1")[1]
    } == {"second"}


def test_a_run_of_two_results_folders_counts_once_and_other_numbers_are_told(
    tmp_path: Path,
) -> None:
    """Made on two machines and brought together: one name, and the numbers have to be the same."""
    results, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    carry_out(runs(tmp_path, "first", [0]), results)
    carry_out(runs(tmp_path, "second", [0]), elsewhere)
    shutil.copytree(elsewhere, results, dirs_exist_ok=True)
    (refused,) = ingest(results).refused
    assert "is the same run as first/" in refused
    assert "has its numbers" in refused
    assert [row[:3] for row in query(results, ROWS)[1]] == [
        ("first", "tiny-qwen2-only-s0", "done"), ("second", "tiny-qwen2-only-s0", "done"),
    ]  # fmt: skip
    (folder,) = (RunFolder(path) for path in (results / "runs" / "second").iterdir())
    folder.append(
        2,
        [
            Measurement(
                step=2, quantity="entanglement_intensity", value=9.0, n=48, layer="post_norm"
            )
        ],
    )
    folder.finish("done")
    (refused,) = ingest(results).refused
    assert "HAS OTHER NUMBERS under the same name" in refused


def test_a_copy_in_another_manifests_folder_is_no_run(tmp_path: Path) -> None:
    """A run is looked for where it was made alone."""
    results = tmp_path / "results"
    (first,) = runs(tmp_path, "first", [0])
    carry_out((first,), results)
    (results / "runs" / "first").rename(results / "runs" / "another")
    assert place_run(first, results).state == "new"


def test_evidence_of_an_earlier_version_is_one_line(tmp_path: Path) -> None:
    results = tmp_path / "results"
    carry_out(runs(tmp_path, "first", [0, 1]), results)
    for path in (results / "runs").glob("*/*/run.json"):
        write_json(path, {**json.loads(path.read_text()), "format": 1})
    (line,) = ingest(results).refused
    assert "was made by an earlier version of repro, which named runs by their sources" in line
    assert line.endswith("(and 1 more such folders)")


def test_a_chained_run_finds_its_parent_where_another_manifest_made_it(
    tmp_path: Path, make_chain: Callable
) -> None:
    results = tmp_path / "results"
    parent, _ = make_chain("first")
    carry_out((parent,), results)
    folder = place_run(parent, results).folder
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (folder.path / "adapter").mkdir(exist_ok=True)
        (folder.path / "adapter" / name).write_text(name)
    folder.finish("done")
    again, after = make_chain("second")
    assert again.id == parent.id
    begun = prepare(place_run(after, results))
    assert json.loads((begun.start.path / "origin.json").read_text())["run"] == parent.id


@pytest.fixture
def make_chain(tmp_path: Path) -> Callable[[str], tuple[Run, ...]]:
    """The two runs of a manifest in which one goes on from the other."""

    def made(name: str) -> tuple[Run, ...]:
        text = MANIFEST.format(name=name, seeds=[0], rate=0.01, condition="only")
        after = (
            "  after: {title: afterwards, phases: [{steps: 2, mixture: {code: 1.0}}], "
            "continues: only}\ntraining:"
        )
        text = text.replace("training:", after).replace("conditions: [only]", "conditions: [after]")
        (tmp_path / f"{name}.yaml").write_text(text)
        return expand(load_experiment(str(tmp_path / f"{name}.yaml")), local_environment())

    return made
