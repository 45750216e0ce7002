"""A run's folder is handed over without following a link; a worker gets no environment but the
chosen one.
"""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from repro.errors import EvidenceError, SetupError
from repro.execute.cluster import Cluster
from repro.execute.container import UNPRIVILEGED, _mounts, hand_over, is_rootless
from repro.execute.slurm_ask import Ask
from repro.execute.slurm_step import SlurmStep

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
def test_a_folder_is_handed_over_and_of_the_cache_what_workers_read(
    places: tuple[Path, Path, Path],
) -> None:
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
    step = SlurmStep(
        "python",
        tmp_path / "a:b",
        tmp_path,
        Cluster(container="apptainer", image="x.sif"),
        "cpu",
        Ask(60, 4.0, 0),
    )
    with pytest.raises(SetupError, match="colon"):
        step._command()


def test_pyxis_starts_the_worker_without_a_network(tmp_path: Path) -> None:
    command = SlurmStep(
        "python", tmp_path, tmp_path, Cluster(container="pyxis", image="x"), "cpu", Ask(60, 4.0, 0)
    )._command()
    assert command.index("--net") == command.index("/usr/bin/unshare") + 3
    assert command.index("--net") < command.index("/opt/venv/bin/python")


ROOTLESS = {"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"]}


@pytest.mark.parametrize(
    ("info", "expected"),
    [(ROOTLESS, True), ({"SecurityOptions": ["name=seccomp"]}, False), ({}, False)],
)
def test_an_engine_says_whether_it_runs_as_its_user(info: dict[str, Any], expected: bool) -> None:
    assert is_rootless(info) == expected


@root
@pytest.mark.parametrize(("rootless", "writes"), [(True, True), (False, False)])
def test_inside_a_rootless_engine_the_worker_may_write_its_folder(
    rootless: bool, writes: bool
) -> None:
    """With the mapping of user names that such an engine makes, by the kernel's own means.

    The control: the user that an engine of root's is asked for is a stranger there.
    """
    base = Path(tempfile.mkdtemp(dir="/var/tmp"))
    base.chmod(0o755)
    (base / "evidence").mkdir()
    os.chown(base / "evidence", 1000, 1000)
    try:
        asked = int(_as_user(1000, base, rootless).split(":")[0])
        assert _can_write(base / "evidence", asked) == writes
    finally:
        shutil.rmtree(base)


def _as_user(user: int, base: Path, rootless: bool) -> str:
    """Whom `hand_over` asks for when a user without privileges calls it."""
    code = (
        f"import os; os.setgroups([]); os.setresgid({user}, {user}, {user}); "
        f"os.setresuid({user}, {user}, {user}); "
        f"print(hand_over(Path({str(base / 'evidence')!r}), Path({str(base)!r}), {rootless}))"
    )
    imports = "from pathlib import Path; from repro.execute.container import hand_over; "
    done = subprocess.run(
        [sys.executable, "-c", imports + code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _can_write(evidence: Path, inside: int) -> bool:
    """Whether a user inside may write, where 0 is user 1000 here and n is 100000 + n - 1."""
    code = (
        "import ctypes, os, sys; "
        "assert ctypes.CDLL(None, use_errno=True).unshare(0x10000000) == 0; "
        "print('ready', flush=True); sys.stdin.readline(); "
        "os.setgroups([]); os.setresgid(0, 0, 0); os.setresuid(0, 0, 0); "
        f"os.setresgid({inside}, {inside}, {inside}); os.setresuid({inside}, {inside}, {inside}); "
        f"open({str(evidence / 'x')!r}, 'w')"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    if child.stdout.readline() != "ready\n":
        child.communicate()
        pytest.skip("this kernel makes no user namespace")
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child.pid}/{name}").write_text("0 1000 1\n1 100000 65535\n")
    _, words = child.communicate("\n")
    assert child.returncode == 0 or "PermissionError" in words, words
    return child.returncode == 0
