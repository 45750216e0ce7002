"""The action's steps, run as GitHub runs them: scripts, and variables that GitHub sets.

The runs are those that the repository carries, so nothing is trained here; comments go to a server
on this machine that answers as GitHub's does.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from repro.store.ingest import ingest

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
Env = dict[str, str]


@pytest.fixture
def github(tmp_path: Path) -> Env:
    """What GitHub sets for a step, with this environment in the place of one made there."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    (tmp_path / "workspace").mkdir()
    return {
        **os.environ,
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_WORKSPACE": str(tmp_path / "workspace"),
        "GITHUB_REPOSITORY": "owner/repository",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "VENV": sys.prefix,
    }


def step(name: str, env: Env) -> subprocess.CompletedProcess[str]:
    script = ROOT / "ci" / "action" / f"{name}.sh"
    return subprocess.run([script], capture_output=True, text=True, env=env, check=False)


def outputs(env: Env) -> dict[str, str]:
    lines = Path(env["GITHUB_OUTPUT"]).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_step_is_a_script_and_every_input_and_output_is_used() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    scripts = [step["run"] for step in STEPS if "run" in step]
    for run in scripts:
        script = ROOT / run.split("/", 1)[1]
        assert os.access(script, os.X_OK), script
        assert "${{" not in run, "a value in a script's text is run as code"
    assert set(re.findall(r"inputs\.([a-z]+)", text)) == ACTION["inputs"].keys()
    told = set(re.findall(r"steps\.\w+\.outputs\.(\w+)", text))
    said = "".join(path.read_text() for path in (ROOT / "ci/action").glob("*.sh"))
    assert {name for name in told if f"{name}=" not in said} == set()
    assert (ROOT / ACTION["inputs"]["base"]["default"] / "runs").is_dir()


def test_reproduce_hands_its_inputs_to_make(github: Env, tmp_path: Path) -> None:
    """By make itself, which is told to say what it would do."""
    mine = Path(github["GITHUB_WORKSPACE"]) / "mine.yaml"
    mine.write_text("id: mine\n")
    asked = {"INPUT_MANIFEST": "mine.yaml", "INPUT_RUNNER": "docker", "INPUT_ONLY": "a-*", "MAKEFLAGS": "n"}  # fmt: skip
    done = step("reproduce", {**github, **asked})
    assert done.returncode == 0, done.stderr
    assert f"RUNNER=docker ONLY='a-*' ci/reproduce.sh \"{mine}\"" in done.stdout
    assert outputs(github)["results"] == str(tmp_path / "temp/repro/results")


@pytest.fixture
def judged(github: Env, evidence: Path, tmp_path: Path) -> Env:
    """The environment after the first two steps, on the carried runs of smoke."""
    results = tmp_path / "temp/repro/results"
    for part in ("runs/smoke", "seals", "asked"):
        shutil.copytree(evidence / part, results / part)
    ingest(results)
    policy = Path(github["GITHUB_WORKSPACE"]) / "gate.yaml"
    policy.write_text('must_not_be_contradicted: ["smoke/*", "laptop/readability/*"]\n')
    given = {"INPUT_MANIFEST": "smoke", "INPUT_POLICY": "gate.yaml", "INPUT_BASE": "evidence"}
    done = step("judge", {**github, **given})
    assert done.returncode == 0, done.stderr
    return github


def test_judge_leaves_files_a_summary_and_a_code(judged: Env) -> None:
    told = outputs(judged)
    folder = Path(told["folder"])
    assert {"junit.xml", "report.html", "verdicts.md", "comment.md"} <= {p.name for p in folder.iterdir()}  # fmt: skip
    assert ET.parse(folder / "junit.xml").getroot().get("tests") == "3"
    comment = (folder / "comment.md").read_text("utf-8")
    assert comment.startswith("<!-- repro: smoke -->\n### `smoke`: incomplete\n")
    assert "policy gate.yaml: incomplete: " in comment
    assert "not judged here" in comment  # claims of laptop are held, and this job judges smoke
    assert "Nothing but noise" in comment  # the runs are those of the base, bit by bit
    assert Path(judged["GITHUB_STEP_SUMMARY"]).read_text("utf-8") == comment
    assert told["code"] == "3"


def test_the_job_ends_by_the_code(github: Env) -> None:
    for code in (0, 1, 3):
        assert step("gate", {**github, "CODE": str(code)}).returncode == code
    assert step("gate", {**github, "CODE": ""}).returncode != 0


def test_bad_input_ends_the_job_at_once(github: Env) -> None:
    done = step("judge", {**github, "INPUT_MANIFEST": "smok", "INPUT_POLICY": "", "INPUT_BASE": ""})
    assert done.returncode == 2
    assert "nearest is smoke" in done.stderr


class Server(HTTPServer):
    """Keeps the comments of one pull request, as GitHub's interface gives and takes them."""

    comments: list[dict[str, Any]]
    refuses: bool


class Comments(BaseHTTPRequestHandler):
    server: Server

    def _answer(self, code: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _read(self) -> str:
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Bearer secret"
        page = int(re.search(r"&page=(\d+)", self.path)[1])  # type: ignore[index]
        self._answer(200, self.server.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        assert self.path == "/repos/owner/repository/issues/7/comments"
        text = self._read()
        if self.server.refuses:
            self._answer(403, {"message": "Resource not accessible by integration"})
            return
        self.server.comments.append({"id": len(self.server.comments), "body": text})
        self._answer(201, {"html_url": "https://example.org/new"})

    def do_PATCH(self) -> None:
        self.server.comments[int(self.path.rsplit("/", 1)[1])]["body"] = self._read()
        self._answer(200, {"html_url": "https://example.org/renewed"})

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Comments)
    found.comments, found.refuses = [], False
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def posting(server: Server, file: Path) -> Env:
    return {
        "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
        "INPUT_TOKEN": "secret",
        "COMMENT": str(file),
    }


def test_a_comment_is_posted_once_and_then_renewed(
    github: Env, server: Server, tmp_path: Path
) -> None:
    """Among others' comments, on the second page too; a very long one is cut at a line."""
    file = tmp_path / "comment.md"
    env = {**github, **posting(server, file)}
    server.comments += [{"id": n, "body": f"hello {n}"} for n in range(100)]
    for text in ("first", "second", "line\n" * 20_000):
        file.write_text(f"<!-- repro: smoke -->\n{text}")
        done = step("comment", env)
        assert done.returncode == 0, done.stderr
    assert len(server.comments) == 101
    assert len(server.comments[100]["body"]) < 65_536
    assert server.comments[100]["body"].endswith("have all of it.\n")
    assert "renewed" in done.stdout


def test_a_token_that_may_not_comment_does_not_end_the_job(
    github: Env, server: Server, tmp_path: Path
) -> None:
    server.refuses = True
    (tmp_path / "c.md").write_text("<!-- repro: smoke -->\nwords")
    env = {**github, **posting(server, tmp_path / "c.md")}
    done = step("comment", env)
    assert done.returncode == 0
    assert "may not comment here (403)" in done.stdout
    Path(env["GITHUB_EVENT_PATH"]).write_text("{}")
    assert "no pull request" in step("comment", env).stdout
