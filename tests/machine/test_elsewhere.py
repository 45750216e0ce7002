"""Runs at work in containers and in a cluster's queue, as their engines tell."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from repro.errors import EvidenceError
from repro.machine.elsewhere import at_work


class Engine(BaseHTTPRequestHandler):
    """An engine of these containers by their labels; or one that breaks off."""

    containers: tuple[dict[str, str], ...]
    breaks_off: bool

    def do_GET(self) -> None:
        """The version, a list of containers with a label, or one of them."""
        address = urlsplit(self.path)
        if address.path.endswith("/containers/json"):
            if self.breaks_off:
                return None
            (label,) = json.loads(parse_qs(address.query)["filters"][0])["label"]
            name, _, value = label.partition("=")
            held = [at for at, one in enumerate(self.containers) if one.get(name) == value]
            return self._reply([{"Id": str(at)} for at in held])
        if "/containers/" in address.path:
            at = address.path.split("/")[-2]
            return self._reply({"Id": at, "Config": {"Labels": self.containers[int(at)]}})
        return self._reply({"ApiVersion": "1.44"})

    def _reply(self, content: Any) -> None:
        written = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        """Nothing to the test's output."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Start an engine; without a call there is none."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    servers: list[ThreadingUnixStreamServer] = []

    def start(*containers: dict[str, str], breaks_off: bool = False) -> None:
        kind = type("Own", (Engine,), {"containers": containers, "breaks_off": breaks_off})
        servers.append(ThreadingUnixStreamServer(str(tmp_path / "engine.sock"), kind))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let squeue be a shell script; at first there is none."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")

    def write(script: str) -> None:
        (tmp_path / "bin" / "squeue").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / "squeue").chmod(0o755)

    return write


def submitted(results: Path, **jobs: str) -> dict[str, Path]:
    """Run folders with the numbers of their jobs."""
    found = {name: results / "runs" / "smoke" / name for name in jobs}
    for name, job in jobs.items():
        found[name].mkdir(parents=True)
        (found[name] / "job.json").write_text(json.dumps({"job": job}))
    return found


@pytest.mark.usefixtures("queue")
def test_containers_of_this_results_folder_are_told_and_no_others(
    engine: Callable[..., None], tmp_path: Path
) -> None:
    results = tmp_path / "results"
    own, other = (
        {"repro.results": str(folder), "repro.folder": f"{folder}/runs/a/b"}
        for folder in (results, tmp_path / "other")
    )
    engine(own, other)
    assert at_work(results) == {results / "runs/a/b": "running in a container"}


@pytest.mark.usefixtures("queue")
def test_engines_that_are_silent_tell_nothing(engine: Callable[..., None], tmp_path: Path) -> None:
    """None at all, and one that goes away in the middle of an answer."""
    submitted(tmp_path, a="1")
    assert at_work(tmp_path) == {}
    engine(breaks_off=True)
    assert at_work(tmp_path) == {}


@pytest.mark.usefixtures("engine")
def test_jobs_are_told_by_their_state_until_they_are_over(
    queue: Callable[[str], None], tmp_path: Path
) -> None:
    """One that the queue does not know any more is over too."""
    folders = submitted(tmp_path, waits="1", runs="2", over="3", forgotten="4")
    queue('printf "1 PENDING\\n2 RUNNING\\n3 COMPLETED\\n9 RUNNING\\n"')
    assert at_work(tmp_path) == {
        folders["waits"]: "pending, Slurm job 1",
        folders["runs"]: "running, Slurm job 2",
    }
    queue("exit 1")
    assert at_work(tmp_path) == {}
    (folders["waits"] / "job.json").write_text("{")
    with pytest.raises(EvidenceError, match=r"job\.json: cannot be read"):
        at_work(tmp_path)
