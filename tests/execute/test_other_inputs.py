"""What a run is computed with is what its name says: the model's files, the packages; through the
real commands.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from safetensors.numpy import load_file, save_file

from repro.execute.folders import place_run, prepare
from repro.fetch.models import fetch_models
from repro.fetch.texts import fetch_texts
from repro.manifest.load import load_experiment, load_models
from repro.plan.expand import expand, local_environment
from repro.store.database import query

Command = Callable[..., CompletedProcess[str]]
ONE = ("run", "smoke", "--only", "tiny-qwen2-B0")


@pytest.fixture
def own_cache(cache: Path, tmp_path: Path) -> Path:
    """A copy of what one run needs of the cache, to be spoilt."""
    run = expand(load_experiment("smoke"), local_environment())[0]
    fetch_models([load_models()["tiny-qwen2"]], cache, print)
    fetch_texts([source for sources in run.domains.values() for source in sources], cache, print)
    shutil.copytree(cache / "data", tmp_path / "cache" / "data")
    shutil.copytree(
        cache / "models" / run.model.folder, tmp_path / "cache" / "models" / run.model.folder
    )
    return tmp_path / "cache"


@pytest.fixture
def model(own_cache: Path) -> Path:
    """The model's folder in it."""
    (folder,) = (own_cache / "models").iterdir()
    return folder


def scale(model: Path) -> str:
    path = model / "model.safetensors"
    weights = load_file(path)
    name = sorted(weights)[5]
    save_file({**weights, name: weights[name] * 1.5}, path, metadata={"format": "pt"})
    return path.name


def another_tokenizer(model: Path) -> str:
    path = model / "tokenizer.json"
    content = json.loads(path.read_text())
    merges = content["model"]["merges"]
    merges[0], merges[1] = merges[1], merges[0]
    path.write_text(json.dumps(content))
    return path.name


def another_setting(model: Path) -> str:
    """Of no weight's shape: nothing but its digest tells."""
    path = model / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rms_norm_eps": 0.1}))
    return path.name


def added(model: Path) -> str:
    """A file that the loader of tokenizers would read."""
    (model / "added_tokens.json").write_text('{"hello": 7}')
    return "added_tokens.json"


def unnoted(model: Path) -> str:
    path = model / "identity.json"
    path.write_text(json.dumps({"model": json.loads(path.read_text())["model"]}))
    return path.name


SPOILT = [scale, another_tokenizer, another_setting, added, unnoted]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_other_files_of_a_model_than_came_are_refused(
    repro: Command, own_cache: Path, model: Path, tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    """By the host before anything starts, and by a worker that was started already, before its
    first step.
    """
    run = expand(load_experiment("smoke"), local_environment())[0]
    folder = prepare(place_run(run, tmp_path / "begun"))
    name = spoil(model)
    done = repro(*ONE, REPRO_CACHE=str(own_cache))
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert str(model / name) in line
    assert not list((tmp_path / "results").glob("runs/*/*/run.json"))
    command = [
        sys.executable,
        "-m",
        "repro.worker",
        "run",
        str(folder.path),
        "--cache",
        str(own_cache),
    ]
    worker = subprocess.run(command, capture_output=True, text=True, check=False)
    assert worker.returncode == 2
    assert name in worker.stderr
    assert not list(folder.path.glob("steps/*"))


def test_the_very_files_are_taken_and_texts_that_were_changed_are_made_again(
    repro: Command, own_cache: Path, tmp_path: Path
) -> None:
    """The positive control; and a cache of texts is no evidence: it carries digests, and is made
    again.
    """
    (path,) = own_cache.glob("data/grade_school-*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    done = repro(*ONE, REPRO_CACHE=str(own_cache))
    assert done.returncode == 0, done.stderr
    assert f"{path.name}: not what came, made again" in done.stdout
    assert path.read_bytes() == whole
    assert repro("ingest").returncode == 0
    results = tmp_path / "results"
    columns = "device, edition, image, lock IS NOT NULL, length(code)"
    assert query(results, f"SELECT {columns} FROM provenance")[1] == [
        ("cpu", "1.1", "local", True, 64)
    ]
    sources = (
        "json_extract_string(sources, '$.\"repro.train.loop\"'), json_extract_string(packages, "
        "'$.peft')"
    )
    ((source, peft),) = query(results, f"SELECT {sources} FROM provenance")[1]
    assert (len(source), peft) == (16, local_environment().pins["peft"])


@pytest.fixture
def other_peft(tmp_path: Path) -> str:
    """A path on which Python finds another version of one package first."""
    folder = tmp_path / "site" / "peft-0.21.1.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: peft\nVersion: 0.21.1\n")
    return str(folder.parent)


def test_other_packages_never_carry_the_same_name_in_silence(
    repro: Command, other_peft: str, tmp_path: Path
) -> None:
    """`run` refuses as `doctor` does; asked to go on, the run has a name of its own, which says
    why.
    """
    assert repro(*ONE).returncode == 0
    told = repro("run", "smoke", "--only", "tiny-llama-B0", PYTHONPATH=other_peft)
    assert told.returncode == 2
    assert (
        "not the locked versions, which can give other numbers: peft 0.21.1 for 0.21.2"
        in told.stderr
    )
    assert "not the locked versions: peft 0.21.1" in repro("doctor", PYTHONPATH=other_peft).stdout
    done = repro(*ONE, "--other-packages", PYTHONPATH=other_peft)
    assert done.returncode == 0, done.stderr
    assert "starts again, since it changed: packages: (absent) → {'peft': '0.21.1'}" in done.stdout
    folders = [path.name for path in (tmp_path / "results" / "runs" / "smoke").iterdir()]
    assert len(set(folders)) == 2
    plan = {run["run"]: run for run in json.loads(repro("plan", "smoke", "--json").stdout)}
    assert plan["tiny-qwen2-B0"]["state"] == "finished", (
        "the locked packages' run is another one, and still there"
    )
