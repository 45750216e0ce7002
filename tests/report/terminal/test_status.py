"""What `repro run` and `repro status` say of a run that failed."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from repro.report.terminal.progress import describe_progress
from repro.report.terminal.status import print_status

Command = Callable[..., CompletedProcess[str]]
MANIFEST = """
id: failing
title: A base model
image: local
probe_set: factorial_48
conditions: {B0: {title: base model}}
training: {compute: float32}
arms:
  - {models: [tiny-llama], conditions: [B0], seeds: [0]}
"""


@pytest.mark.worker
def test_a_failure_is_told_once_and_the_status_repeats_its_last_words(
    repro: Command, tmp_path: Path, tiny_llama: Path
) -> None:
    (tmp_path / "failing.yaml").write_text(MANIFEST)
    own = tmp_path / "cache" / "models" / tiny_llama.name
    shutil.copytree(tiny_llama, own)
    where = {"REPRO_CACHE": str(tmp_path / "cache")}
    whole = (own / "tokenizer.json").read_bytes()
    noted = (own / "identity.json").read_text()
    cut = whole[: len(whole) // 2]
    (own / "tokenizer.json").write_bytes(cut)
    known, now = (hashlib.sha256(content).hexdigest() for content in (whole, cut))
    # as if it had come so: seen by the worker alone
    (own / "identity.json").write_text(noted.replace(known, now))
    failed = repro("run", "failing.yaml", **where)
    assert failed.returncode == 3
    assert failed.stdout.count("tiny-llama-B0: exit code") == 1
    assert "\n0 of 1 runs finished; 1 failed, why is said above; evidence in " in failed.stdout
    (log,) = tmp_path.glob("results/runs/failing/*/log.txt")
    said = log.read_text().splitlines()[-1].removeprefix("repro.worker: ")
    assert said in failed.stdout
    assert "last in its log:" in repro("status").stdout
    (own / "tokenizer.json").write_bytes(whole)
    (own / "identity.json").write_text(noted)
    assert repro("run", "failing.yaml", **where).returncode == 0
    assert "last in its log" not in repro("status").stdout, "the control: finished"


WRITTEN = {
    "environment": {
        "device": "cpu",
        "edition": {"code": 1, "packages": 1},
        "code": "c",
        "lock": "l",
        "image": "local",
    },
    "attempts": [{"packages": {"numpy": "2"}}],
}


def test_a_provenance_record_of_any_form_leaves_its_line_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "runs" / "some" / "run"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    (folder / "provenance.json").write_text(json.dumps(WRITTEN))
    print_status(tmp_path)
    assert "by edition 1.1 of the cpu's numbers" in capsys.readouterr().out, "the control"
    odd: list[object] = [None, 1, "x", [], [[]], {}, {"a": 1}, [1], [{}], [None]]
    for value in odd:
        for changed in (
            {**WRITTEN, "attempts": value},
            {**WRITTEN, "attempts": [{"packages": value}]},
            {**WRITTEN, "environment": value},
            {**WRITTEN, "environment": {"edition": value}},
        ):
            (folder / "provenance.json").write_text(json.dumps(changed))
            print_status(tmp_path)
    for content in (b"[" * 100_000, b"\xff", b""):
        (folder / "provenance.json").write_bytes(content)
        (folder / "progress.json").write_bytes(content)
        print_status(tmp_path)
    for pid in (2**70, -1, "1", None, True, 0.5, []):
        (folder / "progress.json").write_text(json.dumps({"pid": pid, "step": 1}))
        print_status(tmp_path)


@pytest.mark.parametrize("step", [None, "x", [], {}, 1])
@pytest.mark.parametrize("other", [None, "x", [], {}])
def test_a_progress_file_of_any_form_is_described(step: object, other: object) -> None:
    whole = {"step": 1, "steps": 4, "seconds_per_step": 1.0, "loss": 2.0, "tokens_per_second": 9.0}
    assert describe_progress(whole) == "step 1/4 · loss 2.000 · 9 tokens/s · 3 s left", (
        "the control"
    )
    for name in whole:
        assert describe_progress({**whole, "step": step, name: other})
