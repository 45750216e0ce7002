"""What comes with the project is found in a checkout, in an installed package, and after what lies
in the working folder.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import yaml

from repro.manifest.load import MANIFESTS
from repro.shipped import IN_CHECKOUT, ROOT, find, lock_in_use, places

Command = Callable[..., CompletedProcess[str]]
COMMANDS = [
    ["audit", "--json"],
    ["verify", "--json"],
    ["plan", "smoke", "--json"],
    ["probes", "check", "factorial_48"],
    ["measure", "--activations", "x.npz", "--labels", "y.csv", "--json", "--quick"],
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked as an installer would."""
    made = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(made)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(made / "site")
    return made / "site"


@pytest.mark.worker
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_installed_package_does_in_an_empty_folder_what_the_checkout_does(
    repro: Command, installed: Path, tmp_path: Path, command: list[str]
) -> None:
    """The same code, the same bytes on standard output, the files of the package alone."""
    (tmp_path / "elsewhere").mkdir()
    rows = np.random.default_rng(0).standard_normal((12, 40))
    for folder in (tmp_path, tmp_path / "elsewhere"):
        np.savez(folder / "x.npz", activations=rows)
        (folder / "y.csv").write_text("shape\n" + "a\nb\nc\n" * 4)
    there = subprocess.run(
        [sys.executable, "-m", "repro", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path / "elsewhere",
        env={**os.environ, "PYTHONPATH": str(installed), "REPRO_CACHE": str(tmp_path / "cache")},
    )
    here = repro(*command)
    assert there.returncode == here.returncode, there.stderr
    if command[0] == "plan":  # names of runs and shapes; hours depend on how busy the machine is
        rows = [json.loads(text) for text in (there.stdout, here.stdout)]
        assert [row["id"] for row in rows[0]] == [row["id"] for row in rows[1]]
    else:
        assert there.stdout == here.stdout


def test_the_package_holds_every_file_that_the_checkout_has(installed: Path) -> None:
    """Every tracked file of the four folders, and nothing but them beside the code."""
    assert IN_CHECKOUT
    names = ["git", "ls-files", "manifests", "probes", "docker", "requirements"]
    tracked = subprocess.run(names, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    shipped = installed / "repro" / "_shipped"
    files = {str(path.relative_to(shipped)) for path in shipped.rglob("*") if path.is_file()}
    assert files >= {name for name in tracked.splitlines() if (ROOT / name).is_file()}
    assert {path.name for path in installed.iterdir()} == {"repro", "repro_harness-0.1.0.dist-info"}


@pytest.mark.worker
def test_a_name_in_the_working_folder_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repro: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find("manifests", "smoke.yaml") == MANIFESTS / "smoke.yaml"
    content = yaml.safe_load((MANIFESTS / "smoke.yaml").read_text())
    content["arms"] = [{"models": ["mine"], "conditions": ["B0"], "seeds": [0]}]
    models = yaml.safe_load((MANIFESTS / "models.yaml").read_text())
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "smoke.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "manifests" / "models.yaml").write_text(
        yaml.safe_dump({"mine": models["tiny-llama"]})
    )
    assert places("manifests") == [tmp_path / "manifests", MANIFESTS]
    rows = json.loads(repro("plan", "smoke", "--json").stdout)
    assert [row["run"] for row in rows] == ["mine-B0"]
    assert len(json.loads(repro("plan", "scale_ladder", "--json").stdout)) == 22


@pytest.mark.worker
def test_a_probe_set_and_a_paper_of_the_working_folder_are_found(
    tmp_path: Path, repro: Command
) -> None:
    shutil.copytree(ROOT / "probes" / "factorial_48", tmp_path / "probes" / "mine")
    concepts = tmp_path / "probes" / "mine" / "concepts.yaml"
    concepts.write_text(concepts.read_text().replace("id: factorial_48", "id: mine"))
    assert "mine, 48 probes" in repro("probes", "check", "mine").stdout
    paper = tmp_path / "manifests" / "papers" / "mine"
    shutil.copytree(MANIFESTS / "papers" / "example", paper)
    written = (paper / "paper.yaml").read_text()
    (paper / "paper.yaml").write_text(written.replace("id: example", "id: mine"))
    assert json.loads(repro("audit", "mine", "--json").stdout)["checks"]


def test_the_lock_in_use_is_that_of_the_torch_that_is_installed() -> None:
    from importlib.metadata import version

    expected = "cpu" if version("torch").endswith("+cpu") or sys.platform == "darwin" else "cuda"
    assert lock_in_use() == ROOT / "requirements" / f"{expected}.lock"
