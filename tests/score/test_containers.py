"""What an engine is asked for as a box, and what is made of its answers.

The engine is a stand-in; containers that a real one makes are tried by hostile candidates.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.api.client import APIClient
from docker.errors import APIError, NotFound

from repro.errors import SetupError
from repro.score.box import MEMORY, PROCESSES, ExhaustedError
from repro.score.cgroups import Group
from repro.score.containers import LABEL, Containers


class StandIn:
    """An engine's interface: it makes configurations as the real one does, and notes the rest."""

    def __init__(self, process: int = 7) -> None:
        self.real = APIClient("unix:///none", version="1.44")
        self.create_host_config = self.real.create_host_config
        self.create_container_config = self.real.create_container_config
        self.state = {"Pid": process, "OOMKilled": False}
        self.asked: list[dict[str, Any]] = []
        self.removed: list[str] = []
        self.fails: dict[str, Exception] = {}
        self.host, self.wire = socket.socketpair()
        self.here: list[Any] = []

    def _may_fail(self, step: str) -> None:
        if step in self.fails:
            raise self.fails[step]

    def create_container_from_config(self, configuration: dict[str, Any]) -> dict[str, str]:
        self._may_fail("create")
        self.asked.append(configuration)
        return {"Id": "c" * 64}

    def attach_socket(self, _: str, __: dict[str, int]) -> Any:
        return SimpleNamespace(_sock=self.wire)

    def start(self, _: str) -> None:
        self._may_fail("start")

    def inspect_container(self, _: str) -> dict[str, Any]:
        self._may_fail("inspect")
        return {"State": self.state}

    def remove_container(self, container: str, **_: Any) -> None:
        self._may_fail("remove")
        self.removed.append(container)

    def list(self, **_: Any) -> "list[Any]":
        return self.here


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """An engine whose container has a control group of plain files."""
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\n")
    (tmp_path / "memory.events").write_text("oom 0\noom_kill 0\n")
    monkeypatch.setattr("repro.score.containers.group_of", lambda _: Group({"unified": tmp_path}))
    made = StandIn()
    yield made
    made.host.close()
    made.wire.close()


def sandbox(engine: StandIn) -> Containers:
    """Boxes of the engine."""
    return Containers(SimpleNamespace(api=engine, containers=engine), "sha256:1")


def test_a_container_has_no_network_no_rights_and_a_root_to_read(engine: StandIn) -> None:
    box = sandbox(engine).open()
    (asked,) = engine.asked
    host = asked["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["PidsLimit"] == PROCESSES
    assert MEMORY < host["Memory"] == host["MemorySwap"] < 2 * MEMORY
    assert not host.get("Binds")
    assert not host.get("Privileged")
    assert asked["User"] == "10001:10001"
    assert asked["Labels"] == {LABEL: str(os.getpid())}
    assert not [name for name in asked["Env"] if "TOKEN" in name]
    box.close()
    assert engine.removed == ["c" * 64]


def part(stream: int, content: bytes) -> bytes:
    """Output as an engine wraps it."""
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


def test_standard_output_alone_is_read_however_it_is_cut(engine: StandIn) -> None:
    box = sandbox(engine).open()
    assert box.read(0.0) is None
    whole = part(1, b"ab") + part(2, b"error") + part(1, b"") + part(1, b"cd")
    found = b""
    for at in range(len(whole)):
        engine.host.sendall(whole[at : at + 1])
        found += box.read(1.0) or b""
    assert found == b"abcd"
    engine.host.sendall(whole)
    assert box.read(1.0) == b"abcd"
    box.write(b"in")
    assert engine.host.recv(9) == b"in"
    engine.host.close()
    assert box.read(1.0) == b""
    box.close()


def test_meters_are_those_of_the_control_group_while_there_is_one(
    engine: StandIn, tmp_path: Path
) -> None:
    """Afterwards what the engine saw counts; where it does not answer, nothing was seen."""
    box = sandbox(engine).open()
    assert box.processor_seconds() == 1.5
    engine.state["OOMKilled"] = True
    assert box.out_of_memory() == "no"
    (tmp_path / "memory.events").unlink()
    assert box.out_of_memory() == "limit"
    engine.fails["inspect"] = OSError("gone")
    assert box.out_of_memory() == "no"
    box.close()


@pytest.mark.parametrize(
    ("step", "error", "told"),
    [
        ("create", APIError("no space"), r"no container could be started \(no space\)"),
        ("start", OSError("timed out\nmore"), r"no container could be started \(timed out\)"),
    ],
)
def test_a_container_that_cannot_be_started_is_removed_and_no_score(
    engine: StandIn, step: str, error: Exception, told: str
) -> None:
    engine.fails[step] = error
    with pytest.raises(ExhaustedError, match=told):
        sandbox(engine).open()
    assert engine.removed == ([] if step == "create" else ["c" * 64])


def test_a_container_that_ended_before_it_began_is_no_score(engine: StandIn) -> None:
    engine.state["Pid"] = 0
    with pytest.raises(ExhaustedError, match="a container ended before it began"):
        sandbox(engine).open()
    assert engine.removed == ["c" * 64]


def test_a_group_that_cannot_be_seen_is_told_and_its_container_removed(
    engine: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(_: int) -> Group:
        raise SetupError("its control group cannot be seen")

    monkeypatch.setattr("repro.score.containers.group_of", hidden)
    with pytest.raises(SetupError, match="cannot be seen"):
        sandbox(engine).open()
    assert engine.removed == ["c" * 64]


def refusal(status: int) -> APIError:
    """An engine's answer of this status."""
    return APIError(
        "held", response=SimpleNamespace(status_code=status, reason="r"), explanation="held"
    )  # type: ignore[arg-type]  # all that is read of it


def test_a_busy_engine_is_asked_again_at_the_end(engine: StandIn) -> None:
    """What is gone or being removed needs nothing; another refusal is told."""
    boxes = sandbox(engine)
    box = boxes.open()
    engine.fails["remove"] = OSError("timed out")
    box.close()
    assert boxes.left == ["c" * 64]
    del engine.fails["remove"]
    boxes.close()
    assert (boxes.left, engine.removed) == ([], ["c" * 64])
    for error in (NotFound("gone"), refusal(409)):
        engine.fails["remove"] = error
        box.close()
    engine.fails["remove"] = refusal(500)
    with pytest.raises(SetupError, match=rf"^container {'c' * 12}: could not be removed \(held\)"):
        box.close()


def test_containers_of_hosts_that_are_gone_are_removed_and_no_others(engine: StandIn) -> None:
    engine.here = [
        SimpleNamespace(id="mine", labels={LABEL: str(os.getpid())}),
        SimpleNamespace(id="left", labels={LABEL: "999999999"}),
    ]
    sandbox(engine).close()
    assert engine.removed == ["left"]
