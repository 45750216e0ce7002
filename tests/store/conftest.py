"""Finished runs of the smoke manifest, made without a worker, and a store over them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.execute.folders import place_run, prepare
from repro.files import write_bytes, write_json
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.store.ingest import ingest

Finish = Callable[..., RunFolder]
ATTEMPT = {
    "started": "2026-01-01T00:00:00+00:00",
    "sources": {"repro.worker": "s"},
    "packages": {"torch": "2"},
    "host": {"commit": "c0ffee", "dirty": False, "runner": "local"},
    "kernels": {"system": "Linux 6"},
    "hardware": {"processor": "P", "gpus": [], "gpu_driver": "none"},
    "isolation": {"network": "none", "root": "read-only"},
}


@pytest.fixture(scope="session")
def finish() -> Finish:
    """Make one finished run with every kind of file: two checkpoints, activations, an adapter,
    provenance.
    """

    def made(results: Path, number: int, value: float = 1.0) -> RunFolder:
        run = expand(load_experiment("smoke"), local_environment())[number]
        folder = prepare(place_run(run, results))
        for step in (0, 3):
            rows = [
                Measurement(step=step, quantity=name, value=value + step, n=48, layer="post_norm")
                for name in ("entanglement_intensity", "v_purity")
            ]
            rows.append(
                Measurement(
                    step=step, quantity="margin", value=None, reason="none", n=48, layer="post_norm"
                )
            )
            folder.append(step, rows)
            write_bytes(folder.path / "activations" / f"{step:06d}.safetensors", b"activations")
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            write_bytes(folder.path / "adapter" / name, name.encode())
        record = {
            "run": run.id,
            "environment": {
                "code": "c",
                "lock": "l",
                "image": "local",
                "device": "cpu",
                "edition": {"code": 1, "packages": 1},
            },
            "model": {"identity": {"model": {"weights": {"kind": "random"}}}, "stored_as": ["F32"]},
            "attempts": [ATTEMPT],
        }
        write_json(folder.path / "provenance.json", record)
        write_json(folder.path / "usage.json", {"attempts": []})
        folder.log.write_text("a log\n")
        folder.finish("done")
        return folder

    return made


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory, finish: Finish) -> Path:
    """Three finished runs and their store, to be copied."""
    path = tmp_path_factory.mktemp("three") / "results"
    for number in range(3):
        finish(path, number, 0.5 + number)
    assert ingest(path).runs == 3
    return path


@pytest.fixture
def results(tmp_path: Path, three: Path) -> Path:
    """Three finished runs and their store, with the times they were made at."""
    shutil.copytree(three, tmp_path / "results")
    return tmp_path / "results"
