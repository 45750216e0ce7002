"""`repro remeasure` as a user gives it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from repro.evidence.folder import RunFolder
from repro.files import file_digest, write_json

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_names_what_differs(
    repro: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    name, results = str(ROOT / "ci/canary_entropies.yaml"), tmp_path / "results"
    (path,) = (ROOT / "evidence/runs").glob("canary_entropies/tiny-llama-lora-s0-*")
    run = RunFolder(Path(shutil.copytree(path, results / "runs/canary_entropies" / path.name)))
    control = repro("remeasure", name)
    assert (control.returncode, control.stderr) == (0, "")
    assert "none differs" in control.stdout
    rows = run.measurements(2)
    at = next(i for i, row in enumerate(rows) if row.quantity == "entanglement_intensity")
    value = rows[at].value
    assert value is not None
    run.append(2, [*rows[:at], rows[at].model_copy(update={"value": value / 2}), *rows[at + 1 :]])
    marker = json.loads((run.path / "done.json").read_text())
    marker["files"]["steps/000002.parquet"] = file_digest(run.measurements_file(2))
    write_json(run.path / "done.json", marker)
    done = repro("remeasure", name)
    assert done.returncode == 2
    assert "its activations give" in done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert str(run.path) in done.stderr
    shutil.rmtree(run.path / "activations")
    assert "activations/000000.safetensors: found no file" in repro("remeasure", name).stderr
    assert repro("remeasure", name, results=tmp_path / "none").returncode == 3
