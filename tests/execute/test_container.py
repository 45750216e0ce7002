"""A run in a container is shut off from everything but its folder; each closed door is shown open
without the runner.
"""

import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from repro.evidence.folder import RunFolder, read_json
from repro.execute.container import (
    ContainerJob,
    ContainerLimits,
    ContainerRunner,
    hand_over,
    settings,
)
from repro.execute.folders import place_run, prepare
from repro.fetch.models import fetch_models
from repro.fetch.texts import fetch_texts
from repro.manifest.load import load_experiment
from repro.plan.expand import expand
from repro.plan.image_lock import image_environment

PATIENCE = 240.0  # a machine that does much else
Begin = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def folder(long_manifest: Path, tmp_path: Path, cache: Path) -> RunFolder:
    """A run's folder, ready for its worker."""
    run = expand(load_experiment(str(long_manifest)), image_environment("cpu", "cpu"))[0]
    fetch_models([run.model], cache, print)
    fetch_texts([source for domain in run.domains.values() for source in domain], cache, print)
    return prepare(place_run(run, tmp_path / "results"))


@pytest.fixture
def runner(client: Any, image: str, cache: Path, tmp_path: Path) -> Iterator[ContainerRunner]:
    """A runner for this test's results folder; nothing of it is left behind."""
    runner = ContainerRunner(
        client, image, cache, tmp_path / "results", ContainerLimits(threads=1, memory=4 << 30)
    )
    yield runner
    runner.remove_strays([])


@pytest.fixture
def inside(runner: ContainerRunner, folder: RunFolder) -> Callable[..., str]:
    """Run Python code shut in as a worker is; keywords open doors."""

    def run(code: str, **opened: Any) -> str:
        given = settings(runner, folder, hand_over(folder.path, runner.cache))
        given.update(entrypoint=["/opt/venv/bin/python", "-c"], command=[code], **opened)
        printed: bytes = runner.client.containers.run(
            runner.image, **given, remove=True, stderr=True
        )
        return printed.decode().strip()

    return run


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this machine that says hello to whoever connects."""
    with socket.create_server(("0.0.0.0", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"hello")

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


def test_a_worker_has_no_network(inside: Callable[..., str], client: Any, listener: int) -> None:
    """It cannot reach a port of its host, which a container on the default network can."""
    subnet = client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    host = ipaddress.ip_network(subnet)[1]
    code = f"""
import socket
try:
    print(socket.create_connection(("{host}", {listener}), timeout=5).recv(5).decode())
except OSError as error:
    print("refused", error.errno)
"""
    assert inside(code, network_mode="bridge") == "hello"
    assert inside(code) == "refused 101"  # network is unreachable


PLACES = ("/", "/etc", "/opt/repro", "/opt/venv", "/cache", "/var", "/evidence", "/tmp")
TRY_TO_WRITE = f"""
import pathlib
for place in {PLACES}:
    path = pathlib.Path(place, "written")
    try:
        path.write_text("x")
        path.unlink()
        print(place)
    except OSError:
        pass
"""


def test_a_worker_writes_to_its_own_folder_and_to_scratch_only(inside: Callable[..., str]) -> None:
    """Everything else is read-only; to root in an open container everything but the cache is
    writable.
    """
    assert inside(TRY_TO_WRITE).split() == ["/evidence", "/tmp"]
    opened = inside(TRY_TO_WRITE, read_only=False, user="0:0", cap_drop=[]).split()
    assert opened == [name for name in PLACES if name != "/cache"]


def test_a_worker_never_sees_the_engines_socket(inside: Callable[..., str]) -> None:
    """No socket is anywhere in its file system; one that is mounted would be found."""
    code = """
import os, stat
for root, folders, files in os.walk("/"):
    folders[:] = [] if root in ("/proc", "/sys", "/opt") else folders
    for name in files:
        try:
            if stat.S_ISSOCK(os.stat(os.path.join(root, name)).st_mode):
                print(os.path.join(root, name))
        except OSError:
            pass
"""
    mounts = {"/var/run/docker.sock": {"bind": "/run/docker.sock", "mode": "rw"}}
    assert inside(code, volumes=mounts) == "/run/docker.sock"
    assert inside(code) == ""


def test_a_colon_in_the_results_folder_mounts_that_folder(
    runner: ContainerRunner, folder: RunFolder, tmp_path: Path
) -> None:
    """Written as one text, the mount would end at the colon."""
    moved = tmp_path / "a:b" / "runs" / "killed" / folder.path.name
    shutil.copytree(folder.path, moved)
    given = settings(runner, RunFolder(moved), hand_over(moved, runner.cache))
    given.update(
        entrypoint=["/opt/venv/bin/python", "-c"],
        command=["open('/evidence/here', 'w').write('x')"],
    )
    runner.client.containers.run(runner.image, **given, remove=True)
    assert (moved / "here").read_text() == "x"


def test_a_worker_has_no_privileges_and_cannot_gain_any(inside: Callable[..., str]) -> None:
    """No capability, no new privileges, not root; a container with the engine's defaults has all
    three.
    """
    code = (
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.split(':')[0] in "
        "('Uid', 'CapEff', 'NoNewPrivs')])"
    )
    uid, capabilities, no_new = inside(code).split()
    assert uid != "0"
    assert int(capabilities, 16) == 0
    assert no_new == "1"
    uid, capabilities, no_new = inside(code, user="0:0", cap_drop=[], security_opt=[]).split()
    assert uid == "0"
    assert int(capabilities, 16) != 0
    assert no_new == "0"


def test_a_worker_finds_out_by_itself_how_far_it_is_shut_in(inside: Callable[..., str]) -> None:
    """What goes into a run's record is seen from inside: another container is described as what it
    is.
    """
    code = (
        "import json; from repro.train.isolation import isolation; print(json.dumps(isolation()))"
    )
    closed = json.loads(inside(code))
    opened = json.loads(
        inside(
            code, network_mode="bridge", read_only=False, user="0:0", cap_drop=[], security_opt=[]
        )
    )
    assert (closed["network"], opened["network"]) == ("none", "routed")
    assert (closed["root"], opened["root"]) == ("read-only", "writable")
    assert (closed["no_new_privileges"], opened["no_new_privileges"]) == ("1", "0")
    assert int(closed["capabilities"], 16) == 0 != int(opened["capabilities"], 16)
    assert closed["user"] != 0 == opened["user"]
    assert closed["memory_limit"] == 4 << 30


def wait_for(job: Any) -> int:
    """The exit code of a job."""
    begin = time.monotonic()
    while (code := job.poll()) is None:
        assert time.monotonic() - begin < PATIENCE
        time.sleep(0.2)
    return int(code)


def test_running_out_of_memory_is_told_apart_from_other_ends(
    runner: ContainerRunner, folder: RunFolder
) -> None:
    """A memory limit, a kill and a worker's own refusal each have their own words."""
    cramped = ContainerRunner(
        runner.client, runner.image, runner.cache, runner.results, ContainerLimits(1, 256 << 20)
    )
    given = settings(cramped, folder, hand_over(folder.path, runner.cache))
    # 1 GiB
    given["command"] = ["/opt/venv/bin/python", "-c", "held = bytes(range(256)) * (1 << 22)"]
    starved = ContainerJob(
        folder, runner.client.containers.run(runner.image, **given, detach=True), cramped.limits
    )
    assert starved.problem(wait_for(starved)).startswith(
        "out of memory: killed at its limit of 0.2 GiB"
    )

    (killed,) = runner.start([folder])
    killed.container.kill()  # type: ignore[attr-defined]  # jobs of this runner have one
    assert killed.problem(wait_for(killed)).startswith("killed by signal 9")

    (folder.path / "probes.json").write_text("{")
    (refused,) = runner.start([folder])
    code = wait_for(refused)
    assert code == 2
    assert "probes.json: cannot be read" in refused.problem(code)


def containers(client: Any, results: Path) -> list[Any]:
    """The containers of a results folder, whatever their state."""
    found: list[Any] = client.containers.list(
        all=True, filters={"label": f"repro.results={results}"}
    )
    return found


@pytest.mark.usefixtures("image")
def test_a_container_whose_host_was_killed_is_taken_over(
    client: Any, begin: Begin, results: Path
) -> None:
    """The next host watches the same container to its end instead of starting the run again."""
    first = begin("docker", until="state.safetensors")
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    (orphan,) = containers(client, results)
    assert orphan.status == "running"

    second = begin("docker")
    output, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 0, output
    (folder,) = results.glob("runs/killed/*")
    assert len(read_json(folder / "provenance.json")["attempts"]) == 1
    assert containers(client, results) == []


@pytest.mark.usefixtures("image")
def test_ctrl_c_stops_the_container_and_the_run_goes_on_later(
    client: Any, begin: Begin, results: Path
) -> None:
    """Exit code 130, no container left, a checkpoint to go on from; a second call finishes the run."""
    process = begin("docker", until="state.safetensors")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert containers(client, results) == []
    (folder,) = results.glob("runs/killed/*")
    assert not (folder / "done.json").exists()

    again = begin("docker")
    output, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, output
    assert len(read_json(folder / "provenance.json")["attempts"]) == 2


def test_a_container_nobody_asks_for_any_more_is_removed(
    runner: ContainerRunner, folder: RunFolder
) -> None:
    """A stray of this results folder goes; one that is wanted stays."""
    runner.start([folder])
    assert runner.remove_strays([folder.path]) == []
    assert runner.remove_strays([]) == [str(folder.path)]
    assert containers(runner.client, runner.results) == []
