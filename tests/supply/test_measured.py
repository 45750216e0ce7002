"""Files of authors give the numbers that the runs themselves recorded."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow.parquet as pq
import pytest

from repro.errors import InputError
from repro.measure.entropy import of_update
from repro.measure.updates import read_updates
from repro.supply.folder import read_folder
from repro.supply.measured import measure_all
from repro.verify.evidence.axes import PaperAxes


def test_activations_give_every_number_that_the_run_recorded_of_them(
    twin: ModuleType, sent: Path
) -> None:
    found = list(measure_all(read_folder(sent, PaperAxes())))
    one = next(file for file in found if file.file.name == "activations/B3-1-40.safetensors")
    recorded = {
        (row["quantity"], row["specification"], row["concept"], row["direction"]): row["value"]
        for row in pq.read_table(twin.RUNS[1] / "steps/000040.parquet").to_pylist()
    }
    given = {
        (row.quantity, row.specification, row.concept, row.direction): row.value for row in one.rows
    }
    shared = given.keys() & recorded.keys()
    assert {("entanglement_intensity", "anchored", None, None)} < shared
    assert len(shared) > 100
    for cell in shared:
        assert given[cell] == pytest.approx(recorded[cell], rel=1e-6, abs=1e-9), cell


def test_without_step_0_nothing_is_anchored(sent: Path) -> None:
    lines = (sent / "files.csv").read_text().splitlines()
    kept = [line for line in lines if not line.endswith(",0")]
    (sent / "files.csv").write_text("\n".join(kept) + "\n")
    rows = [row for file in measure_all(read_folder(sent, PaperAxes())) for row in file.rows]
    assert rows
    assert not [row for row in rows if row.specification == "anchored"]


def test_an_adapters_entropies_are_those_of_the_entropy_command(
    twin: ModuleType, tmp_path: Path
) -> None:
    twin.adapter(tmp_path / "a", 4, 0)
    index = [["file", "model", "condition", "seed", "step"], ["a", twin.MODEL, "lora-4", "0", "30"]]
    twin.write(tmp_path / "files.csv", index)
    [found] = measure_all(read_folder(tmp_path, PaperAxes()))
    cuts = {
        (row.concept, row.direction): row.value
        for row in found.rows
        if row.quantity == "entanglement_entropy" and row.direction is not None
    }
    update = next(iter(read_updates(tmp_path / "a", "*layers.1.*v_proj")))
    profile = of_update(update)
    assert not hasattr(profile, "reason")
    mine = [cuts["matrix=update,module=v_proj,layer=1", cut] for cut in range(len(profile.entropy))]  # type: ignore[union-attr]  # it is defined, as has just been seen
    assert np.allclose(mine, profile.entropy)  # type: ignore[union-attr, arg-type]  # the same


@pytest.mark.parametrize("kind", ["activations", "adapter"])
def test_files_of_another_model_are_refused_with_their_line(
    twin: ModuleType, tmp_path: Path, kind: str
) -> None:
    if kind == "activations":
        twin.send(tmp_path, table=False)
        text = (tmp_path / "files.csv").read_text()
        (tmp_path / "files.csv").write_text(text.replace(twin.MODEL, "qwen2.5-coder-7b"))
    else:
        twin.adapter(tmp_path / "a", 4, 0, width=64)
        row = ["a", twin.MODEL, "lora-4", "0", "30"]
        twin.write(tmp_path / "files.csv", [["file", "model", "condition", "seed", "step"], row])
    with pytest.raises(InputError, match=r"files.csv: line 2: .* wide, and .* of another model"):
        list(measure_all(read_folder(tmp_path, PaperAxes())))


def test_labels_that_do_not_fit_are_refused_with_both_places(sent: Path) -> None:
    lines = (sent / "labels.csv").read_text().splitlines()
    (sent / "labels.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(InputError, match=r"files.csv: line 2: labels.csv: 47 rows"):
        list(measure_all(read_folder(sent, PaperAxes())))


@pytest.mark.parametrize(
    ("base", "told"),
    [("Qwen/Qwen2.5-7B", True), ("qwen/qwen2.5-coder-7b", False), ("/my/disk", False)],
)
def test_an_adapter_that_names_another_base_model_is_doubted(
    twin: ModuleType, tmp_path: Path, base: str, told: bool
) -> None:
    folder = twin.adapter(tmp_path / "a", 4, 0, width=3584)
    settings = {"peft_type": "LORA", "r": 4, "base_model_name_or_path": base}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    row = ["a", "qwen2.5-coder-7b", "B3", "0", "5000"]
    twin.write(tmp_path / "files.csv", [["file", "model", "condition", "seed", "step"], row])
    [found] = measure_all(read_folder(tmp_path, PaperAxes()))
    assert bool(found.doubt) == told
    assert not told or found.doubt.startswith("files.csv: line 2: a: adapter_config.json names")
