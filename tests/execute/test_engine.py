"""The container engine's socket: whether it answers, and what a killed build left there."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from repro.errors import SetupError
from repro.execute.engine import BUILD_PREFIX, engine, remove_steps_left, step_name


class Listing(BaseHTTPRequestHandler):
    """An engine that lists containers, and removes all but those that are gone already."""

    names: tuple[str, ...]
    gone: tuple[str, ...]
    removed: list[str]

    def do_GET(self) -> None:
        """The version, a ping, or the containers whose names begin as asked."""
        address = urlsplit(self.path)
        if not address.path.endswith("/containers/json"):
            return self._reply(200, {"ApiVersion": "1.44"})
        filters = json.loads(parse_qs(address.query)["filters"][0])
        (begin,) = filters["name"]
        listed = [name for name in self.names if name.startswith(begin.removeprefix("^"))]
        return self._reply(200, [{"Id": name, "Names": [name]} for name in listed])

    def do_DELETE(self) -> None:
        """Remove one container."""
        name = urlsplit(self.path).path.rpartition("/")[2]
        self.removed.append(name)
        self._reply(404 if name in self.gone else 204, {"message": "no such container"})

    def _reply(self, status: int, content: Any) -> None:
        written = b"" if status == 204 else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        """Nothing to the test's output."""


@pytest.fixture
def listening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., list[str]]]:
    """Start an engine with these containers; what it was asked to remove is in the list."""
    servers: list[ThreadingUnixStreamServer] = []

    def start(*names: str, gone: tuple[str, ...] = ()) -> list[str]:
        removed: list[str] = []
        kind = type("Own", (Listing,), {"names": names, "gone": gone, "removed": removed})
        servers.append(ThreadingUnixStreamServer(str(tmp_path / "engine.sock"), kind))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        return removed

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_engine_that_is_not_there_is_one_line_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the system's own words; those of a socket that nobody listens at are others."""
    socket = tmp_path / "none.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
    with pytest.raises(
        SetupError,
        match=rf"^container engine at unix://{socket}: does not answer \(No such file or "
        r"directory\); start it \(systemctl start docker",
    ):
        engine()
    ThreadingUnixStreamServer(str(socket), Listing).server_close()
    with pytest.raises(SetupError, match=r"does not answer \(Connection refused\)"):
        engine()


def test_an_engine_that_answers_is_taken(listening: Callable[..., list[str]]) -> None:
    listening()
    assert engine().version() == {"ApiVersion": "1.44"}


def test_the_containers_of_builds_that_died_are_removed_and_no_others(
    listening: Callable[..., list[str]],
) -> None:
    """One that another build removes first is no failure."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, alive = f"{BUILD_PREFIX}{ended.pid}-aa", step_name()
    foreign = (f"/{BUILD_PREFIX}x-1", "/mine", f"/of-{BUILD_PREFIX}{ended.pid}-aa")
    gone = f"{BUILD_PREFIX}{ended.pid}-bb"
    removed = listening(f"/{gone}", f"/{dead}", f"/{alive}", *foreign, gone=(f"/{gone}", gone))
    remove_steps_left(engine())
    assert [name.removeprefix("/") for name in removed] == [gone, dead]


def test_no_two_containers_of_a_process_are_named_alike() -> None:
    first, second = step_name(), step_name()
    assert first != second
    assert first.startswith(f"{BUILD_PREFIX}{os.getpid()}-")
