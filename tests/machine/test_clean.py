"""What `repro clean` frees, tried on real folders: evidence stays to the byte, what nothing needs
goes.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from repro.cache import named_folder, record_as_ours
from repro.errors import SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.execute.folders import place_run, prepare
from repro.files import file_digest
from repro.machine.clean import Item, ItemKind, inventory, remove
from repro.manifest.load import load_experiment, load_models
from repro.plan.expand import expand, local_environment

Command = Callable[..., CompletedProcess[str]]
Folders = dict[str, RunFolder]


def prepared(results: Path, number: int) -> RunFolder:
    """A run of the smoke manifest as a worker finds it."""
    return prepare(
        place_run(expand(load_experiment("smoke"), local_environment())[number], results)
    )


def measured(folder: RunFolder) -> RunFolder:
    """With one measurement in it."""
    folder.append(
        0,
        [
            Measurement(
                step=0, quantity="entanglement_intensity", value=1.0, n=48, layer="post_norm"
            )
        ],
    )
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A run in every state that a folder can be in."""
    found = {
        "finished": measured(prepared(tmp_path / "results", 1)),
        "with a state": prepared(tmp_path / "results", 2),
        "with a measurement": measured(prepared(tmp_path / "results", 3)),
        "at work": prepared(tmp_path / "results", 4),
        "queued": prepared(tmp_path / "results", 5),
        "given up": prepared(tmp_path / "results", 6),
        "broken": prepared(tmp_path / "results", 7),
    }
    found["finished"].finish("done")
    for name in (
        "state.safetensors",
        "state.earlier.safetensors",
        "state.measured.safetensors",
        "host.json",
        "job.json",
    ):
        (found["finished"].path / name).write_bytes(b"passing")
    found["with a state"].state.write_bytes(b"state")
    (found["at work"].path / "progress.json").write_text("{}")
    (found["queued"].path / "job.json").write_text('{"job": "1"}')
    (found["broken"].path / "done.json").write_text("{")
    return found


def clean(tmp_path: Path, *kinds: ItemKind) -> dict[Path, Item]:
    """Remove what is of these kinds; what was there."""
    cache, builds = tmp_path / "cache", tmp_path / "builds"
    items = inventory(tmp_path / "results", cache, builds)
    remove(items, cache, kinds)
    return {item.path: item for item in items}


def content(folder: Path) -> dict[str, str]:
    """Digest of every file below."""
    return {
        str(path.relative_to(folder)): file_digest(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


@contextmanager
def reading(cache: Path) -> Iterator[int]:
    """A process that was started as a worker with this cache; its number."""
    waits = "import time; print('up', flush=True); time.sleep(60)"
    idle = [sys.executable, "-c", waits, "-m", "repro.worker", "run", "folder", "--cache"]
    process = subprocess.Popen([*idle, str(cache)], stdout=subprocess.PIPE)
    try:
        assert process.stdout
        assert process.stdout.readline()  # before it is up, its command line reads as empty
        yield process.pid
    finally:
        process.kill()
        process.wait()


def test_only_what_nothing_needs_goes(folders: Folders, tmp_path: Path) -> None:
    """Of a finished run what its marker does not name; of the others the one that never measured
    anything.
    """
    before = {name: content(folder.path) for name, folder in folders.items()}
    named = json.loads((folders["finished"].path / "done.json").read_text())["files"]
    clean(tmp_path, "leftover", "cache")
    assert not folders["given up"].path.exists()
    assert content(folders["finished"].path).keys() == {"done.json", *named}
    folders["finished"].check()
    for name in ("with a state", "with a measurement", "at work", "queued", "broken"):
        assert content(folders[name].path) == before[name], name


def test_evidence_stays_whatever_is_asked_for(folders: Folders, tmp_path: Path) -> None:
    """Even when somebody names its kind."""
    before = content(folders["finished"].path)
    clean(tmp_path, "evidence")
    assert content(folders["finished"].path) == before
    clean(tmp_path)
    assert content(folders["finished"].path) == before, "looking removes nothing"


def test_a_worker_that_showed_itself_long_ago_is_not_at_work(
    folders: Folders, tmp_path: Path
) -> None:
    """Half an hour of silence and nothing measured: given up."""
    past = time.time() - 1800
    os.utime(folders["at work"].path / "progress.json", (past, past))
    clean(tmp_path, "leftover")
    assert not folders["at work"].path.exists()


def test_the_folder_of_jobs_stays_while_a_job_may_need_it(folders: Folders, tmp_path: Path) -> None:
    """One run waits in a queue; when it is gone, the parcels and logs of ended jobs can go too."""
    parcel = tmp_path / "results" / "slurm" / "1_submitted.pkl"
    parcel.parent.mkdir()
    parcel.write_bytes(b"parcel")
    assert clean(tmp_path, "leftover")[parcel.parent].kind == "evidence"
    assert parcel.exists()
    shutil.rmtree(folders["queued"].path)
    clean(tmp_path, "leftover")
    assert not parcel.exists()


def test_the_cache_goes_when_it_is_asked_for_and_nobody_reads_it(tmp_path: Path) -> None:
    """A process that is a worker with this cache keeps it; one with another does not."""
    weights = tmp_path / "cache" / "models" / "m" / "model.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    record_as_ours(
        tmp_path / "cache", [weights.parent, tmp_path / "cache" / "structure" / "m.json"]
    )
    counted = tmp_path / "cache" / "structure" / "m.json"
    counted.parent.mkdir()
    counted.write_text("{}")
    clean(tmp_path, "leftover")
    assert weights.exists()
    assert counted.exists()
    with reading(tmp_path / "elsewhere"):
        with (
            reading(tmp_path / "cache") as process,
            pytest.raises(SetupError, match=rf"a worker reads it \(process {process}\)"),
        ):
            clean(tmp_path, "cache")
        assert weights.exists()
        clean(tmp_path, "cache")
    assert not weights.exists()
    assert not counted.exists()


def test_a_copy_of_a_model_that_no_manifest_means_any_more_is_left_over(tmp_path: Path) -> None:
    """The model's present folder and one that is still being fetched stay; while a worker reads the
    cache, all do.
    """
    named = load_models()["tiny-llama"].folder
    old, begun = (f"tiny-llama-{digit * 12}" for digit in "01")
    for name in (named, old, begun):
        folder = tmp_path / "cache" / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"weights")
        record_as_ours(tmp_path / "cache", [folder])
        if name != begun:
            (folder / "identity.json").write_text("{}")
    models = tmp_path / "cache" / "models"
    before = inventory(tmp_path / "results", tmp_path / "cache", tmp_path / "builds")
    with reading(tmp_path / "cache") as process:
        found = clean(tmp_path, "leftover")
        assert (found[models / old].kind, f"(process {process})" in found[models / old].why) == (
            "cache",
            True,
        )
        with pytest.raises(SetupError, match="a worker reads it"):
            remove(before, tmp_path / "cache", ["leftover"])
        assert (models / old).exists()
    found = clean(tmp_path, "leftover")
    assert "no manifest's model names this folder any more" in found[models / old].why
    assert "fetched again when needed" in found[models / named].why
    assert {path.name for path in models.iterdir()} == {named, begun}


def test_a_model_that_a_user_named_and_a_walk_over_one_go_with_the_cache(tmp_path: Path) -> None:
    """No manifest names them, and they are no leftovers: gigabytes came for them."""
    cache = tmp_path / "cache"
    model, states = named_folder(cache, "somebody/small", "a" * 40), cache / "walks" / "0123"
    for folder in (model, states):
        folder.mkdir(parents=True)
        (folder / "some.safetensors").write_bytes(b"weights")
        record_as_ours(cache, [folder])
    (model / "identity.json").write_text('{"files": {"some.safetensors": ""}}')
    assert {clean(tmp_path, "leftover")[path].kind for path in (model, states)} == {"cache"}
    assert model.exists()
    assert states.exists()
    clean(tmp_path, "leftover", "cache")
    assert not model.exists()
    assert not states.exists()


def test_built_wheels_are_cache_and_unfinished_builds_are_leftovers(tmp_path: Path) -> None:
    """A build that may still be at work keeps its folder."""
    for name in ("wheels-1", "wheels-2.partial", "tmpold", "tmpnew"):
        (tmp_path / "builds" / name).mkdir(parents=True)
        (tmp_path / "builds" / name / "a.whl").write_bytes(b"wheel")
    for name in ("wheels-1", "wheels-2.partial", "tmpold"):
        os.utime(tmp_path / "builds" / name, (0, 0))
    clean(tmp_path, "leftover")
    assert {path.name for path in (tmp_path / "builds").iterdir()} == {"wheels-1", "tmpnew"}
    clean(tmp_path, "cache")
    assert {path.name for path in (tmp_path / "builds").iterdir()} == {"tmpnew"}


def test_what_somebody_else_put_into_cache_and_results_stays(
    folders: Folders, tmp_path: Path
) -> None:
    """REPRO_CACHE may point anywhere, and many programs have a folder `runs`. The control: what is
    noted goes.
    """
    cache, others = tmp_path / "cache", []
    for name in (
        "models/llama/weights.bin",
        "data/thesis.jsonl",
        "structure/plan.json",
        "notes.txt",
    ):
        others.append(cache / name)
    others.append(tmp_path / "results" / "runs" / "tensorboard" / "monday" / "events.out")
    others.append(folders["given up"].path / "my notes.txt")
    others.append(cache / "models" / "m-0" / "mine.txt")
    own = cache / "models" / "m-0" / "model.safetensors"
    for path in (*others, own):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"something")
    (own.parent / "identity.json").write_text('{"files": {"model.safetensors": "0"}}')
    record_as_ours(cache, [own.parent])
    (cache / "written-by-repro.txt").open("a").write("../results\nmodels/../../x\n/etc\n")
    clean(tmp_path, "leftover", "cache")
    assert all(path.exists() for path in others)
    assert not own.exists()
    assert not (folders["given up"].path / "run.json").exists()


def test_verdicts_are_the_same_after_cleaning(repro: Command, tmp_path: Path) -> None:
    """Base models are measured and judged, their folders cluttered and cleaned, the store built
    again: nothing changed.
    """
    base = ("run", "smoke", "--runner", "local", "--only", "*-B0")
    assert repro(*base).returncode == 0

    def judged() -> Any:
        assert repro("ingest").returncode == 0
        return json.loads(repro("verify", "smoke", "--json").stdout)

    before = judged()
    assert any(claim["outcome"] != "not_run" for claim in before["claims"])
    states = [
        path.parent / "state.safetensors" for path in tmp_path.glob("results/runs/*/*/done.json")
    ]
    for state in states:
        state.write_bytes(bytes(1 << 20))
    shown = repro("clean").stdout
    assert shown.count("a finished run does not need it") >= len(states) == 3
    assert all(state.exists() for state in states), "looking removes nothing"
    cleaned = repro("clean", "--yes")
    assert cleaned.returncode == 0
    assert "removed: " in cleaned.stdout
    assert not any(state.exists() for state in states)
    assert judged() == before
    assert "3 of 3 runs are finished already" in repro(*base).stdout
