"""Files that this project writes and reads again: a run's folder, its markers, the cache. A disk
may give anything back.
"""

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.audit import findings_by_claim
from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request, stored_key
from repro.execute.chain import hold_reason
from repro.execute.folders import place_run
from repro.machine.structures import Wanted, structures
from repro.manifest.data import Source, StandardLibrary
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.plan.model_files import check_files
from repro.plan.texts import texts_file
from repro.report.terminal.status import print_status
from repro.store.ingest import ingest
from repro.train.texts import texts

Fuzz = Callable[..., None]
Strategies = dict[str, Callable[..., Any]]
MANIFEST = """
id: base
title: One base model
image: local
probe_set: factorial_48
conditions: {B0: {title: base model}}
arms: [{models: [tiny-llama], conditions: [B0], seeds: [0]}]
"""


@pytest.fixture(scope="module")
def finished(cache: Path, tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one finished run, made by the real worker."""
    from repro.execute.folders import prepare
    from repro.manifest.load import load_experiment
    from repro.plan.expand import expand, local_environment
    from repro.worker.session import carry_out

    assert tiny_llama.exists()
    results = tmp_path_factory.mktemp("finished")
    (results / "base.yaml").write_text(MANIFEST)
    (run,) = expand(load_experiment(str(results / "base.yaml")), local_environment())
    folder = prepare(place_run(run, results))
    carry_out(folder.path, cache)
    assert ingest(results).runs == 1
    return results


@pytest.mark.parametrize(
    "name",
    [
        "run.json",
        "done.json",
        "provenance.json",
        "usage.json",
        "host.json",
        "progress.json",
        "probes.json",
        "steps/000000.parquet",
    ],
)
def test_run_folders(
    name: str, fuzz: Fuzz, strategies: Strategies, tmp_path: Path, finished: Path
) -> None:
    """One file of a finished run is another than it was: taken into the store, left out with its
    reason, or refused.
    """
    results = Path(shutil.copytree(finished, tmp_path / "results"))
    (folder,) = (path for path in results.glob("runs/base/*") if path.is_dir())
    path = folder / name
    whole = (
        path.read_bytes()
        if path.exists()
        else b'{"commit": "unknown", "dirty": false, "runner": "local"}'
    )

    def judge(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.redirect_stdout(io.StringIO()):
            print_status(results)
        ingest(results)

    judge(whole)
    fuzz(
        f"run_folder_{Path(name).stem}",
        strategies["bytes" if name.endswith("parquet") else "json"]([whole]),
        judge,
        8,
    )


@pytest.mark.parametrize("name", ["run.json", "done.json"])
def test_markers(
    name: str, fuzz: Fuzz, strategies: Strategies, tmp_path: Path, finished: Path
) -> None:
    """What says what a run is, and that it has ended."""
    results = Path(shutil.copytree(finished, tmp_path / "results"))
    (folder,) = (path for path in results.glob("runs/base/*") if path.is_dir())
    run = read_request(folder).run
    whole = (folder / name).read_bytes()

    def judge(content: bytes) -> None:
        (folder / name).write_bytes(content)
        place_run(run, results)
        hold_reason(run, RunFolder(folder))
        stored_key(folder)
        read_request(folder)
        RunFolder(folder).check()

    judge(whole)
    fuzz(f"marker_{Path(name).stem}", strategies["json"]([whole]), judge, 2)


@pytest.mark.parametrize("kind", ["audit", "structure", "identity", "texts"])
def test_cache_files(
    kind: str, fuzz: Fuzz, strategies: Strategies, tmp_path: Path, tiny_llama: Path
) -> None:
    """What is kept to save time is made again when it cannot be read, or its place is named."""
    model = load_models()["tiny-llama"]
    folder = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    source = Source(id="code", data=StandardLibrary())
    path = {
        "audit": tmp_path / "audit.json",
        "structure": Wanted(model, Training()).file(tmp_path),
        "identity": folder / "identity.json",
        "texts": texts_file(tmp_path, source, "x"),
    }[kind]
    path.parent.mkdir(exist_ok=True)
    if kind == "audit":
        findings_by_claim((), path)
    elif kind == "structure":
        structures([Wanted(model, Training())], tmp_path, print, known={})
    elif kind == "texts":
        path.write_text('"one"\n"two"\n')

    def judge(content: bytes) -> None:
        path.write_bytes(content)
        if kind == "audit":
            assert findings_by_claim((), path) == {} or json.loads(content)
        elif kind == "structure":
            from repro.machine.structures import _read

            _read(path)
        elif kind == "identity":
            check_files(folder)
        else:
            from repro.files import file_digest

            path.with_suffix(".sha256").write_text(file_digest(path))
            assert all(isinstance(text, str) for text in texts(source, "x", tmp_path))

    judge(path.read_bytes())
    fuzz(
        f"cache_{kind}",
        strategies["bytes" if kind == "texts" else "json"]([path.read_bytes()]),
        judge,
        4,
    )
