"""Set-up says what is wrong, and it is what is wrong: pip, Python, the network, a file that was
exchanged.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_RETRIES": "0",
}


@pytest.fixture(scope="module")
def setup() -> ModuleType:
    """ci/setup.py as a module."""
    spec = importlib.util.spec_from_file_location("ci_setup", ROOT / "ci" / "setup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def set_up(venv: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run ci/setup.sh for another environment, without any setting of this machine for pip."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    environment = {**kept, "VENV": str(venv), "TORCH": "", "PYTHON": sys.executable, **changes}
    command = [str(ROOT / "ci" / "setup.sh")]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a set-up that was refused."""
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("repro: ")
    return line


def test_an_environment_without_pip_is_told_so(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    line = one_line(set_up(tmp_path / "venv", **NOWHERE))
    assert "pip is missing in" in line
    assert "torch" not in line


def test_an_index_out_of_reach_is_told_so(tmp_path: Path) -> None:
    line = one_line(set_up(tmp_path / "venv", **NOWHERE))
    assert "the package index cannot be reached" in line
    assert "PIP_INDEX_URL" in line


@pytest.mark.parametrize("version", ["3.9.18", "3.15.0"])
def test_a_python_that_does_not_fit_is_told_so(tmp_path: Path, version: str) -> None:
    """A program that says it is another Python; ours is the positive control in every other test."""
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 1\necho "Python {version}"\n')
    other.chmod(0o755)
    line = one_line(set_up(tmp_path / "venv", PYTHON=str(other)))
    assert f"found no Python 3.11 to 3.14 ({other} is Python {version})" in line


def test_an_unknown_choice_is_refused(tmp_path: Path) -> None:
    assert "TORCH: found 'gpu', expected cpu or cuda" in one_line(
        set_up(tmp_path / "venv", TORCH="gpu")
    )


def test_an_environment_that_is_ready_is_left_alone(tmp_path: Path, setup: ModuleType) -> None:
    """And one whose lock or choice changed is not."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    note = {"asked": "auto", "torch": "cpu", "locks": setup.locks("cpu"), "project": ""}
    note["project"] = setup.digest([ROOT / "pyproject.toml"])
    (venv / "repro-setup.json").write_text(setup.json.dumps(note))
    done = set_up(venv, **NOWHERE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "making" in set_up(venv, **NOWHERE, TORCH="cpu").stdout
    assert not (venv / "repro-setup.json").exists()
    shutil.rmtree(venv)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (venv / "repro-setup.json").write_text(setup.json.dumps({**note, "locks": "of an earlier day"}))
    assert "the locks or the choice of torch changed" in set_up(venv, **NOWHERE).stdout


def test_a_file_the_lock_does_not_know_is_refused_by_name(
    tmp_path: Path, setup: ModuleType
) -> None:
    """A real wheel, a real pip, a lock with another digest: what pip says becomes one line."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    (tmp_path / "lock").write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    words = ["--require-hashes", "--no-index", "--find-links", tmp_path, "--target", tmp_path / "t"]
    done = pip("install", *words, "--requirement", tmp_path / "lock")
    assert done.returncode
    assert "the index gave another file than the lock names (tiny==1.0" in setup.explain(
        done.stdout + done.stderr
    )
    absent = pip("install", *words[1:], "absent==1.0")
    assert "the index has no build of absent==1.0 for Python 3." in setup.explain(
        absent.stdout + absent.stderr
    )


def pip(*words: object) -> subprocess.CompletedProcess[str]:
    """Run this environment's pip without any setting of this machine."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    command = [sys.executable, "-m", "pip", *map(str, words)]
    environment = {**kept, "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_page_that_never_answers_is_given_up(setup: ModuleType) -> None:
    """A server that accepts and says nothing; one that answers is the positive control."""
    import socket
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from time import monotonic

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = monotonic()
        assert not setup.answers(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert monotonic() - begin < setup.ANSWER + 30  # never: as long as the server keeps silent
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert setup.answers(f"http://127.0.0.1:{server.server_port}/")
