"""The evidence that the repository carries: whole but for weights, true to its markers, and of no
particular machine.
"""

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from repro.store.database import query

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "evidence"
MACHINE = re.compile(rb"/(home|root|work|tmp|Users|mnt)/|hostname", re.I)


@pytest.fixture(scope="module")
def carried() -> ModuleType:
    spec = importlib.util.spec_from_file_location("carried", ROOT / "ci" / "evidence.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_carried_run_is_in_the_store_and_its_weights_are_said_to_be_absent(
    carried, tmp_path: Path, capsys
) -> None:
    folders = list(EVIDENCE.glob("runs/*/*"))
    assert carried.lay(tmp_path / "results") == len(folders) > 10
    assert "left out" not in capsys.readouterr().err
    _, rows = query(
        tmp_path / "results", "SELECT sum(absent), count(*) FILTER (absent > 0) FROM folders"
    )
    markers = [json.loads((folder / "done.json").read_text()) for folder in folders]
    weights = [len(marker["weights"]) for marker in markers if marker["weights"]]
    assert rows == [(sum(weights), len(weights))]
    assert len(weights) > 10
    _, seals = query(tmp_path / "results", "SELECT count(*) FROM seals")
    assert seals[0][0] > 100


def test_a_changed_number_is_left_out(carried, tmp_path: Path, monkeypatch, capsys) -> None:
    shutil.copytree(EVIDENCE, tmp_path / "evidence")
    monkeypatch.setattr(carried, "KEPT", tmp_path / "evidence")
    victim = next((tmp_path / "evidence" / "runs" / "smoke").glob("*/steps/000000.parquet"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    assert carried.lay(tmp_path / "results") == len(list(EVIDENCE.glob("runs/*/*"))) - 1
    assert victim.parts[-3] in capsys.readouterr().err


def test_what_is_there_is_not_overwritten(carried, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(SystemExit, match="is there already"):
        carried.lay(tmp_path)


def test_nothing_of_it_names_a_machine() -> None:
    files = [path for path in EVIDENCE.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if MACHINE.search(path.read_bytes())] == []
    assert MACHINE.search(b'"path": "/home/somebody/x"')
    assert not [path for path in files if path.name in ("log.txt", "host.json", "progress.json")]


def test_it_is_a_few_megabytes() -> None:
    assert sum(path.stat().st_size for path in EVIDENCE.rglob("*") if path.is_file()) < 8_000_000
