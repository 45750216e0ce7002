"""Every kind of file that somebody gives: whatever it holds, it is taken, or refused in one line,
and at once.
"""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from repro.audit import audit
from repro.claims.papers import PAPERS, load_paper
from repro.cost.hours import run_hours
from repro.cost.space import disk_gibibytes, gibibytes
from repro.errors import ReproError
from repro.execute.cluster import load_cluster
from repro.execute.folders import place_run
from repro.manifest.data import Source, sources_of
from repro.manifest.load import MANIFESTS, load_experiment, load_models, read_model
from repro.manifest.probes import PROBES, declared, load_probe_set
from repro.manifest.yaml import read_catalogue, validate
from repro.measure import read_activations, read_labels
from repro.plan.expand import expand, local_environment
from repro.plan.weight_files import check_weights
from repro.train.records import local
from repro.verify.policy import apply_policy, load_policy

Fuzz = Callable[..., None]
Strategies = dict[str, Callable[..., Any]]


def trees(*paths: Path) -> list[Any]:
    """The content of whole YAML files."""
    return [yaml.safe_load(path.read_text()) for path in paths]


def test_manifests(fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """Read, multiplied out, costed and placed."""

    def judge(content: bytes) -> None:
        path = tmp_path / "fuzzed.yaml"
        path.write_bytes(content)
        runs = expand(load_experiment(str(path)), local_environment())
        for run in runs[:20]:
            place_run(run, tmp_path / "results")
            assert run_hours(run).high >= 0
            assert gibibytes(run) + disk_gibibytes(run) > 0

    seeds = trees(
        *(
            MANIFESTS / f"{name}.yaml"
            for name in ("smoke", "dynamics_laptop", "companions", "csr_lambda")
        )
    )
    fuzz("manifest", strategies["yaml"]([{**seed, "id": "fuzzed"} for seed in seeds]), judge)


def test_policies(fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """A gate over claims."""
    ids = [claim.id for claim in load_paper(PAPERS / "smoke").claims]

    def judge(content: bytes) -> None:
        path = tmp_path / "policy.yaml"
        path.write_bytes(content)
        assert apply_policy(load_policy(path), ids, [], str(path)).code == 3

    fuzz("policy", strategies["yaml"](trees(MANIFESTS.parent / "ci" / "policy.yaml")), judge)


def test_models(fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """models.yaml."""

    def judge(content: bytes) -> None:
        path = tmp_path / "models.yaml"
        path.write_bytes(content)
        for key, fields in read_catalogue(path).items():
            read_model(key, fields, str(path))

    fuzz("models", strategies["yaml"](trees(MANIFESTS / "models.yaml")), judge)


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "model.safetensors.index.json"]
)
def test_model_folders(
    name: str, fuzz: Fuzz, strategies: Strategies, tmp_path: Path, tiny_llama: Path
) -> None:
    """Each file that says what a model is."""
    folder = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    if "index" in name:
        (folder / "model.safetensors").rename(folder / "a.safetensors")
        names = check_names(folder / "a.safetensors")
        (folder / name).write_text(
            json.dumps({"metadata": {}, "weight_map": dict.fromkeys(names, "a.safetensors")})
        )
    whole = (folder / name).read_bytes()

    def judge(content: bytes) -> None:
        (folder / name).write_bytes(
            content + whole[len(content) :] if name == "model.safetensors" else content
        )
        check_weights(folder, load_models()["tiny-llama"])

    check_weights(folder, load_models()["tiny-llama"])  # the control
    fuzz(
        name,
        strategies["bytes"]([whole[:3000] if name == "model.safetensors" else whole]),
        judge,
        3,
    )


def check_names(path: Path) -> list[str]:
    """The tensors of a safetensors file."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return [name for name in header if name != "__metadata__"]


def test_sources(fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """datasets.yaml."""

    def judge(content: bytes) -> None:
        path = tmp_path / "datasets.yaml"
        path.write_bytes(content)
        for key, value in read_catalogue(path).items():
            sources_of(
                {key: validate(Source, {"id": key, "data": value}, key).data}, tmp_path, str(path)
            )

    fuzz("sources", strategies["yaml"](trees(MANIFESTS / "datasets.yaml")), judge)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_records(kind: str, fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """Files of texts of one's own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"text": f"text {number}", "labels": {"domain": "legal"}, "n": number}
        for number in range(5)
    ]
    path = tmp_path / f"notes.{kind}"
    if kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    data = validate(
        Source,
        {
            "id": "x",
            "data": {"kind": "file", "path": str(path), "only": {"labels.domain": "legal"}},
        },
        "x",
    ).data

    def judge(content: bytes) -> None:
        path.write_bytes(content)
        local(data)  # type: ignore[arg-type]  # it is a file

    assert len(local(data)) == 5  # type: ignore[arg-type]
    fuzz(kind, strategies["bytes"]([path.read_bytes()]), judge, 2)


def test_papers(fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """Blocks of claims, and what the audit makes of those that can be read."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "paper.yaml").write_text("id: own\ntitle: Own\naxes: [tea, minutes]\n")

    def judge(content: bytes) -> None:
        (folder / "claims.yaml").write_bytes(content)
        audit(load_paper(folder).claims)

    files = [
        PAPERS / "example" / "cooling.yaml",
        PAPERS / "smoke" / "expectations.yaml",
        PAPERS / "consolidated" / "tables" / "13_reversibility.yaml",
        PAPERS / "selective" / "text" / "04_dynamics.yaml",
        PAPERS / "consolidated" / "text" / "05_crosstalk.yaml",
    ]
    own = Path(__file__).with_name("impossible.yaml")
    seeds = trees(*files, own)
    fuzz("paper", strategies["yaml"](seeds), judge, 2)


def test_paper_headers(fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """paper.yaml itself."""
    folder = Path(shutil.copytree(PAPERS / "example", tmp_path / "example"))

    def judge(content: bytes) -> None:
        (folder / "paper.yaml").write_bytes(content)
        load_paper(folder)

    seeds = trees(PAPERS / "example" / "paper.yaml", PAPERS / "consolidated" / "paper.yaml")
    fuzz(
        "paper_header", strategies["yaml"]([{**seed, "id": "example"} for seed in seeds]), judge, 2
    )


@pytest.mark.parametrize("name", ["concepts.yaml", "probes.jsonl", "recipe.yaml"])
def test_probe_sets(name: str, fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """The three files of a set's folder."""
    folder = Path(
        shutil.copytree(
            PROBES / ("real_132" if name == "recipe.yaml" else "factorial_48"), tmp_path / "set"
        )
    )
    (folder / "probes.jsonl").unlink() if name == "recipe.yaml" and (
        folder / "probes.jsonl"
    ).exists() else None
    read = declared if name == "recipe.yaml" else load_probe_set

    def judge(content: bytes) -> None:
        (folder / name).write_bytes(content)
        read(folder)

    read(folder)  # the control
    seeds = [(folder / name).read_bytes()]
    fuzz(
        name,
        strategies["bytes"](seeds)
        if name == "probes.jsonl"
        else strategies["yaml"](trees(folder / name)),
        judge,
        3,
    )


def test_cluster_files(
    fuzz: Fuzz, strategies: Strategies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What REPRO_SLURM names."""
    path = tmp_path / "cluster.yaml"
    monkeypatch.setenv("REPRO_SLURM", str(path))

    def judge(content: bytes) -> None:
        path.write_bytes(content)
        load_cluster().parameters(60, 4.0, 0)

    seed = {"partition": "gpu", "account": "x", "minutes": 60, "cpus": 4, "memory_gib": 16.0, "gpus": 1,
            "container": "apptainer", "image": "x.sif"}  # fmt: skip
    fuzz("cluster", strategies["yaml"]([seed]), judge)


def test_activations(fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """npz files, plain and compressed."""
    X, whole = np.random.default_rng(0).normal(size=(12, 3)), []
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, activations=X)
        whole.append(buffer.getvalue())
    path = tmp_path / "X.npz"

    def judge(content: bytes) -> None:
        path.write_bytes(content)
        read_activations(path)

    for content in whole:
        judge(content)
    fuzz("npz", strategies["bytes"](whole), judge)


def test_labels(fuzz: Fuzz, strategies: Strategies, tmp_path: Path) -> None:
    """CSV files."""
    path = tmp_path / "labels.csv"

    def judge(content: bytes) -> None:
        path.write_bytes(content)
        read_labels(path, 8)

    rows = "\n".join(
        f"{'code' if row % 2 else 'math'},{'formal' if row < 4 else 'plain'}" for row in range(8)
    )
    whole = f"domain,register\n{rows}\n".encode()
    judge(whole)
    fuzz("csv", strategies["bytes"]([whole, b'"a","b"\r\n' + b'"x","y"\r\n"z","w"\r\n' * 4]), judge)


class TwoLinesError(ReproError):
    """What no error of ours is."""

    def __str__(self) -> str:
        return "one\ntwo"


def test_the_rule_can_be_broken(fuzz: Fuzz, strategies: Strategies) -> None:
    """The control: a reader that lets an error through, and one that speaks in two lines, are found
    out.
    """

    def careless(content: bytes) -> None:
        content.decode()

    def talkative(_: bytes) -> None:
        raise TwoLinesError

    with pytest.raises(UnicodeDecodeError):
        fuzz("control", strategies["bytes"]([b"\xff"]), careless)
    with pytest.raises(AssertionError):
        fuzz("control", strategies["bytes"]([b"x"]), talkative)
