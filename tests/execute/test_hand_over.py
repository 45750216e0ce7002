"""A run's folder is handed over without following a link; a worker gets no environment but the chosen one."""

import os
import stat
from pathlib import Path

import pytest

from repro.errors import EvidenceError, SetupError
from repro.evidence.folder import RunFolder
from repro.execute.cluster import Cluster
from repro.execute.container import UNPRIVILEGED, _mounts, hand_over
from repro.execute.given import given
from repro.execute.jobs import last_line
from repro.execute.local import LocalJob
from repro.execute.slurm_ask import Ask
from repro.execute.slurm_step import Step

root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """(run's folder, cache, a file of the host that is nobody else's business)."""
    folder, cache, victim = tmp_path / "run", tmp_path / "cache", tmp_path / "victim"
    (folder / "steps").mkdir(parents=True)
    (folder / "steps" / "000000.parquet").write_text("x")
    (cache / "models" / "m").mkdir(parents=True)
    (cache / "models" / "m" / "model.safetensors").write_text("x")
    (cache / "models" / "m" / "model.safetensors").chmod(0o600)
    (cache / "private").write_text("x")
    (cache / "private").chmod(0o600)
    victim.write_text("x")
    victim.chmod(0o600)
    return folder, cache, victim


@root
def test_a_folder_is_handed_over_and_of_the_cache_what_workers_read(places: tuple[Path, Path, Path]) -> None:
    folder, cache, _ = places
    assert hand_over(folder, cache) == f"{UNPRIVILEGED}:{UNPRIVILEGED}"
    assert {path.stat().st_uid for path in (folder, *folder.rglob("*"))} == {UNPRIVILEGED}
    assert stat.S_IMODE((cache / "models" / "m" / "model.safetensors").stat().st_mode) == 0o644
    assert stat.S_IMODE((cache / "private").stat().st_mode) == 0o600, "no worker reads it"


@pytest.mark.parametrize("kind", ["file", "folder", "dangling", "pipe", "the folder itself"])
def test_a_link_in_a_runs_folder_is_refused_and_its_target_stays_ours(
    places: tuple[Path, Path, Path], tmp_path: Path, kind: str
) -> None:
    folder, cache, victim = places
    owner = victim.stat().st_uid
    match kind:
        case "pipe":
            os.mkfifo(folder / "steps" / "l")
        case "the folder itself":
            (tmp_path / "linked").symlink_to(folder)
            folder = tmp_path / "linked"
        case _:
            target = {"file": victim, "folder": tmp_path, "dangling": tmp_path / "nothing"}[kind]
            (folder / "steps" / "l").symlink_to(target)
    with pytest.raises(EvidenceError, match="link"):
        hand_over(folder, cache)
    assert victim.stat().st_uid == owner


@root
def test_a_link_in_the_cache_opens_nothing(places: tuple[Path, Path, Path]) -> None:
    folder, cache, victim = places
    (cache / "models" / "m" / "l").symlink_to(victim)
    hand_over(folder, cache)
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600


def test_a_colon_in_a_path_mounts_the_folder_and_not_a_part_of_it(tmp_path: Path) -> None:
    evidence, cache = _mounts(tmp_path / "a:b", tmp_path / "c:ro")
    assert (evidence["Source"], cache["Source"]) == (str(tmp_path / "a:b"), str(tmp_path / "c:ro"))
    assert cache["ReadOnly"] is True
    step = Step(
        "python", tmp_path / "a:b", tmp_path, Cluster(container="apptainer", image="x.sif"), "cpu", Ask(60, 4.0, 0)
    )
    with pytest.raises(SetupError, match="colon"):
        step._command()


def test_pyxis_starts_the_worker_without_a_network(tmp_path: Path) -> None:
    command = Step(
        "python", tmp_path, tmp_path, Cluster(container="pyxis", image="x"), "cpu", Ask(60, 4.0, 0)
    )._command()
    assert command.index("--net") == command.index("/usr/bin/unshare") + 3
    assert command.index("--net") < command.index("/opt/venv/bin/python")


def test_no_token_reaches_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "WANDB_API_KEY",
        "SLURM_JWT",
        "OMP_SECRET",
        "X",
    )
    for name in secrets:
        monkeypatch.setenv(name, "hf_secret")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    found = given(OMP_NUM_THREADS="2")
    assert not set(secrets) & found.keys()
    assert "hf_secret" not in found.values()
    assert found["PATH"] == os.environ["PATH"]
    assert (found["SLURM_JOB_ID"], found["LC_ALL"], found["OMP_NUM_THREADS"], found["HF_HUB_OFFLINE"]) == (
        "7",
        "C.UTF-8",
        "2",
        "1",
    )


def test_a_worker_process_has_no_token_in_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel tells it of a real process; the control is a variable that is passed on."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    job = LocalJob.start(folder, tmp_path / "cache", 1)
    environment = Path(f"/proc/{job.process.pid}/environ").read_bytes()
    job.process.wait(60)
    assert b"LC_ALL=C.UTF-8" in environment
    assert b"hf_secret" not in environment
    assert job.process.returncode == 2, "there is nothing to run, said in one line"


def test_a_log_that_a_worker_linked_elsewhere_is_not_written_through(tmp_path: Path) -> None:
    folder, victim = RunFolder(tmp_path / "run"), tmp_path / "victim"
    folder.path.mkdir()
    with folder.open_log() as log:
        log.write(b"a line\n")
    assert last_line(folder) == "a line", "the control"
    victim.write_text("a secret")
    folder.log.unlink()
    folder.log.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        folder.open_log()
    assert last_line(folder) == ""
    assert victim.read_text() == "a secret"
