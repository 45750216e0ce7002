"""The content of an image is what decides: the same inputs give the same hash, and any other image
is refused.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import pytest

from repro.errors import SetupError
from repro.execute.engine import BUILD_PREFIX, engine
from repro.execute.images.base_lock import load_base_lock
from repro.execute.images.build import build, checked_image
from repro.files import write_json
from repro.plan import image_lock
from repro.plan.image_lock import load_locks, read_image_lock
from repro.shipped import ROOT


def test_an_image_of_other_content_is_refused(
    client: Any, image: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The built image passes against docker/images.lock, and not against a lock that says something
    else.
    """
    assert checked_image(client, "cpu") == image
    other = load_locks().model_dump(mode="json")
    other["images"]["cpu"]["content"] = "0" * 64
    write_json(tmp_path / "images.lock", other)
    monkeypatch.setattr(
        "repro.plan.image_lock.read_image_lock",
        lambda name: read_image_lock(name, tmp_path / "images.lock"),
    )
    with pytest.raises(SetupError, match=r"expected 000000000000 .* it is refused"):
        checked_image(client, "cpu")


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_an_image_holds_a_part_of_the_locked_packages_and_no_others(name: str) -> None:
    """docker/NAME.lock repeats requirements/NAME.lock line by line: the same pins and hashes."""
    whole = set((ROOT / "requirements" / f"{name}.lock").read_text().splitlines())
    part = (ROOT / "docker" / f"{name}.lock").read_text().splitlines()
    plain = {line.replace(" ; sys_platform == 'linux'", "").rstrip(" \\") for line in whole}
    assert {line.rstrip(" \\") for line in part} <= plain
    assert any(line.startswith("torch==") for line in part)
    assert image_lock.IMAGE_LOCK == ROOT / "docker" / "images.lock"


class Engine(BaseHTTPRequestHandler):
    """Answers as a container engine does up to one question, which it breaks off: at once, or in
    the middle of its answer.
    """

    breaks_off = ""
    answers = False
    asked: list[str]

    def do_GET(self) -> None:
        """The engine's version, and one image of whatever name; no image holds a worker."""
        self._reply(
            b'{"ApiVersion": "1.44", "Id": "sha256:1"}'
            if "/json?" not in self.path
            else b'[{"Id": "sha256:1"}]'
        )

    def do_POST(self) -> None:
        """A container is made; what it should be is read whole where an answer follows."""
        if self.answers:
            self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(b'{"Id": "1"}')

    def _reply(self, content: bytes) -> None:
        self.asked.append(self.path)
        breaks_off = self.breaks_off in self.path
        if breaks_off and not self.answers:
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) + 10 * breaks_off))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing to the test's output."""


@pytest.fixture
def leaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Start an engine that goes away; what it was asked for is in the list."""
    servers: list[ThreadingUnixStreamServer] = []

    def start(breaks_off: str, answers: bool = False) -> list[str]:
        settings = {"breaks_off": breaks_off, "answers": answers, "asked": []}
        kind = type("Leaving", (Engine,), settings)
        servers.append(ThreadingUnixStreamServer(str(tmp_path / "engine.sock"), kind))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        asked: list[str] = kind.asked
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("answers", [False, True], ids=["while it is asked", "while it answers"])
def test_an_engine_that_goes_away_while_it_builds_is_one_line(
    leaving: Callable[..., list[str]],
    answers: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Everything up to the build was asked and answered."""
    monkeypatch.setattr("repro.execute.images.build.BUILD_SCRATCH", tmp_path / "scratch")
    asked, said = leaving("/containers/create", answers), []
    with pytest.raises(
        SetupError,
        match=r"could not be built, the container engine went away \(.+\); see that it runs",
    ):
        build(engine(), "cpu", said.append)
    assert any("/images/json" in path for path in asked)
    assert said == [], "base and packages are there already, says this engine"
    assert any(load_base_lock().sha256[:12] in path for path in asked)


def test_the_command_ends_with_that_line_and_2(leaving: Callable[..., list[str]]) -> None:
    """The engine leaves at the first question of the build; the positive control is that it was
    asked before.
    """
    asked = leaving("/images/json")
    done = subprocess.run(
        [sys.executable, "-m", "repro", "images"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "the container engine went away" in done.stderr
    assert any(path.endswith("/version") for path in asked)


@pytest.mark.parametrize("more", [0, 1], ids=["one wheel", "two wheels"])
def test_a_lock_with_two_wheels_of_a_package_is_not_built(
    leaving: Callable[..., list[str]], more: int, tmp_path: Path
) -> None:
    """A copy of the project, with its lock as it is and with one hash more; nothing is begun."""
    for folder in ("repro", "docker", "requirements", "manifests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    lock = tmp_path / "docker" / "cpu.lock"
    added = f"regex==\\1 \\\\\n    --hash=sha256:{'0' * 64} \\\\\n"
    text, count = re.subn(r"regex==(\S+) \\\n", added, lock.read_text())
    assert count == 1
    if more:
        lock.write_text(text)
    asked = leaving("/images/json")
    done = subprocess.run(
        [sys.executable, "-m", "repro", "images"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    said = "found hashes: 2 of regex; expected one" if more else "the container engine went away"
    assert said in done.stderr
    assert any("/images/json" in path for path in asked) is not bool(more)


@pytest.mark.usefixtures("image")
def test_a_killed_build_is_made_up_for_by_the_next(client: Any) -> None:
    """kill -9 at moments of its time: the next build ends well, and no container of a dead one
    stays.
    """
    command = [sys.executable, "-m", "repro", "images", "cpu"]
    began = time.monotonic()
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    whole, killed, stayed = time.monotonic() - began, 0, 0
    moments = int(os.environ.get("REPRO_MOMENTS", "2"))
    for number in range(moments):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(whole * (0.2 + 0.8 * number / moments))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        stayed += len(
            client.containers.list(all=True, filters={"name": f"^/{BUILD_PREFIX}{process.pid}-"})
        )
    assert killed, "the control: a build was killed"
    assert stayed or moments < 20, "the control: a killed build does leave its container"
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert client.containers.list(all=True, filters={"name": f"^/{BUILD_PREFIX}"}) == []
    assert checked_image(client, "cpu")
