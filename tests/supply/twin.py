"""A folder as the authors of a paper would send it, made from runs that the repository carries."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
RUNS = sorted((ROOT / "evidence" / "runs" / "laptop").iterdir())
QUANTITIES = (
    "accuracy",
    "activation_rms",
    "entanglement_intensity",
    "heldout_loss",
    "margin",
    "v_purity",
)
COLUMNS = ("model", "condition", "seed", "step", "quantity", "concept", "value")
STEPS = (0, 40)
MODEL = "smollm2-135m"


def write(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def values() -> list[list[object]]:
    """What the two runs of the twin measured at their ends, to four decimals."""
    rows: list[list[object]] = []
    for run in RUNS:
        told = json.loads((run / "run.json").read_text())["run"]
        of = [told["model"]["id"], told["condition_id"], told["seed"]]
        for step in STEPS:
            for one in pq.read_table(run / "steps" / f"{step:06d}.parquet").to_pylist():
                if one["quantity"] in QUANTITIES and one["specification"] == "default":
                    where = [step, one["quantity"], one["concept"] or ""]
                    rows.append([*of, *where, f"{one['value']:.4f}"])
    return rows


def send(folder: Path, activations: bool = True, table: bool = True) -> Path:
    """Write values, and activations with labels: npz of seed 0, safetensors of seed 1."""
    if table:
        write(folder / "values.csv", [COLUMNS, *values()])
    if not activations:
        return folder
    probes = json.loads((RUNS[0] / "probes.json").read_text())["probes"]
    concepts = list(probes[0]["labels"])
    labels = [[probe["labels"][name] for name in concepts] for probe in probes]
    write(folder / "labels.csv", [concepts, *labels])
    (folder / "activations").mkdir()
    index = [["file", "model", "condition", "seed", "step"]]
    for seed, run in enumerate(RUNS):
        for step in STEPS:
            X = load_file(run / "activations" / f"{step:06d}.safetensors")
            name = f"activations/B3-{seed}-{step}.{'safetensors' if seed else 'npz'}"
            if seed:
                save_file(X, folder / name)
            else:
                np.savez(folder / name, activations=X["activations"])
            index.append([name, MODEL, "B3", str(seed), str(step)])
    write(folder / "files.csv", index)
    return folder


def adapter(folder: Path, rank: int, seed: int, width: int = 576) -> Path:
    """Write a small adapter as peft saves it: two layers, query and value, random factors."""
    rng, tensors = np.random.default_rng(seed), {}
    for layer in range(2):
        for module, rows in (("q_proj", 576), ("v_proj", 192)):
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            tensors[f"{name}.lora_A.weight"] = rng.normal(size=(rank, width)).astype("float32")
            tensors[f"{name}.lora_B.weight"] = rng.normal(size=(rows, rank)).astype("float32")
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def change(path: Path, line: int, column: str, value: object) -> None:
    """Change one cell of a CSV file; lines as an editor counts them."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[line - 1][rows[0].index(column)] = str(value)
    write(path, rows)


def find(path: Path, **wanted: object) -> int:
    """Return the first line of a CSV file with these cells."""
    with path.open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            if all(row[key] == str(value) for key, value in wanted.items()):
                return number
    raise AssertionError(wanted)
