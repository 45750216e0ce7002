"""`make gpu` rehearsed: the cheap parts really, and what its report says of every way to fail."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from bench.gpu import __main__ as gpu
from bench.gpu.bundle import MOST, packages, sources
from bench.gpu.card import beside
from bench.gpu.learns import farthest, gradient_rows, learning_row
from bench.gpu.parts import ABSENT, PARTS, PROOF, SPEED, Part, code, counted, failed, stated
from bench.gpu.scale import MIXED, SHORT, Scale
from bench.gpu.sizes import network
from bench.gpu.smoke import differences
from bench.gpu.speed import steps
from bench.table import missing, row

TINY, MODEL = Scale("cpu"), "qwen2.5-coder-7b"
SPEEDS = row("7B", 9100.0, SPEED, 9000)
HOLDS, FAILS = row(f"{PROOF}a", 1.0, "×", 1), row(f"{PROOF}b", 0.5, "×", 1)


def child(*words: str) -> list[dict[str, object]]:
    """The rows of a part's own process."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.gpu.child", *words],
        capture_output=True,
        text=True,
        cwd=gpu.ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(gpu.MARK)]
    return [json.loads(line.removeprefix(gpu.MARK)) for line in lines]


def test_a_rehearsal_runs_its_parts_and_writes_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "gpu.json"
    assert gpu.main(["card", "kernels", "--rehearse", "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert all(one.keys() == {"name", "value", "unit", "bar", "holds", "note"} for one in found)
    names = [one["name"] for one in found]
    assert "time of part card" in names
    assert "time of part kernels" in names
    assert sum(name.startswith(PROOF) for name in names) >= 2
    absent = [] if find_spec("triton") else ["not installed: triton"]
    assert [one["note"] for one in found if not one["holds"]] == absent
    assert "tiny sizes" in found[0]["note"], "a rehearsal says that it is one"
    printed = capsys.readouterr().out
    assert "about 5 s on an H100" in printed, "how long a part takes is said before it"
    assert "card took" in printed


def test_without_a_gpu_it_ends_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("a GPU is here")
    assert gpu.main(["card"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "finds no GPU here" in said
    assert "DEVICE=cpu" in said


def test_an_unknown_part_ends_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["8b", "--rehearse"]) == 2
    assert "no part '8b'; there are card, smoke" in capsys.readouterr().err
    assert gpu.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(f"{name} " in listed for name in PARTS)


def test_a_part_that_raises_is_a_row_with_its_reason() -> None:
    (only,) = child("kernels", "no-such-device")
    assert only["value"] is None
    assert str(only["note"]).startswith("failed: RuntimeError: ")


def test_a_part_that_hangs_or_dies_is_a_row_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The parts are real processes of an interpreter whose `bench.gpu.child` does as it is told."""
    fake = tmp_path / "bench" / "gpu"
    fake.mkdir(parents=True)
    (tmp_path / "bench" / "__init__.py").touch()
    (fake / "__init__.py").touch()
    told = json.dumps(stated("found before", 1, "s"))
    (fake / "child.py").write_text(
        "import os, sys, time\n"
        f"print('ROW ' + {told!r}, flush=True)\n"
        "print('ROW {\"name\": \"half', end='', flush=True)\n"
        "{'card': lambda: time.sleep(60), 'bits': lambda: os._exit(7), 'smoke': lambda: None}[sys.argv[1]]()\n"
    )
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    for name in ("card", "bits", "smoke"):
        monkeypatch.setitem(PARTS, name, Part("", 1, 2, "none"))
    found = gpu.run(["card", "bits", "smoke"], "cuda")
    reasons = {one["name"]: one["note"] for one in found if one["value"] is None}
    assert reasons["card"] == "failed: not finished after 2 s"
    assert reasons["bits"] == "failed: ended with code 7; its last words are above"
    assert sum(one["name"] == "found before" for one in found) == 3, "what was found is kept"
    assert code(found) == 3
    late = gpu.run(["card", "smoke"], "cuda", seconds=0.5)
    assert [one["note"] for one in late if one["value"] is None] == [
        "failed: not begun, the time of all parts was up"
    ] * 2


def test_the_code_tells_a_failed_proof_from_what_was_not_found() -> None:
    assert code([SPEEDS, HOLDS]) == 0
    assert code([row("7B", 1.0, SPEED, 9000), HOLDS]) == 0, "a missed speed is told, no failure"
    assert code([SPEEDS, FAILS]) == 1
    assert code([SPEEDS, failed("7b", "no memory")]) == 3
    assert code([failed("7b", "no memory"), FAILS]) == 1
    assert code([SPEEDS, missing("Trainer with Liger", f"{ABSENT}: liger-kernel")]) == 0


def test_a_speed_counts_only_beside_proofs_that_hold() -> None:
    assert counted([SPEEDS, HOLDS]) == [SPEEDS, HOLDS]
    lost, kept = counted([SPEEDS, FAILS])
    assert (lost["value"], lost["holds"]) == (9100.0, False)
    assert lost["note"].startswith("does not count")
    assert kept == FAILS
    assert not counted([SPEEDS, failed(f"{PROOF}gradients", "no memory")])[0]["holds"]


def test_packages_that_are_newer_older_or_not_here_are_named() -> None:
    wanted = {"torch": "2.13.0", "peft": "0.21.2", "numpy": "2.4.6", "triton": "3.7.1"}
    here = {"torch": "2.11.0", "peft": "0.22.0.dev1", "numpy": "2.4.6"}
    assert beside(wanted, here) == [
        "torch 2.11.0: older than 2.13.0",
        "peft 0.22.0.dev1: newer than 0.21.2",
        "triton: none for 3.7.1",
    ]


def test_a_tiny_model_learns_and_its_gradients_are_the_references() -> None:
    torch.set_num_threads(1)
    training = TINY.protocol(tokens_per_forward=8192, packing="packed")
    exact, rounded = gradient_rows(training, MODEL, TINY)
    assert exact["holds"], exact
    assert exact["value"] > 0
    assert rounded["holds"], rounded
    adapted = network(training, MODEL, TINY)
    learnt = learning_row(adapted, training, MODEL, TINY)
    assert learnt["holds"], learnt


def test_a_model_that_does_not_train_has_no_speed() -> None:
    training = TINY.protocol(packing="packed")
    adapted = network(training, MODEL, TINY)
    for name, value in adapted.named_parameters():
        if "lora_A" in name:
            value.data.zero_()  # with B at zero too, no gradient is left
    with pytest.raises(RuntimeError, match="no training"):
        steps(adapted, training, MODEL, TINY)


def test_gradients_that_are_another_tensors_are_told() -> None:
    one = {"a": torch.ones(3)}
    assert farthest(one, one) == 0
    assert farthest({"a": torch.tensor([1.0, 1.0, 2.0])}, one) == pytest.approx(3**-0.5)
    with pytest.raises(RuntimeError, match="1 tensors against 2"):
        farthest(one, {**one, "b": torch.ones(1)})


def test_base_activations_are_compared_by_slot(tmp_path: Path) -> None:
    for place, digits, value in (("here", "a" * 12, 2.0), ("there", "b" * 12, 2.5)):
        folder = tmp_path / place / f"tiny-B0-{digits}" / "activations"
        folder.mkdir(parents=True)
        save_file(
            {"activations": np.array([[1.0, value]], np.float32)}, folder / "000000.safetensors"
        )
    here, there = ([*(tmp_path / place).glob("*")] for place in ("here", "there"))
    assert differences(here, there) == {"tiny-B0": pytest.approx(0.2)}
    assert differences(here, []) == {}


def test_a_step_is_what_the_papers_cards_were_given() -> None:
    assert (len(MIXED), sum(MIXED), sum(SHORT)) == (16, 8883, 3500)
    assert sum(part.seconds for part in PARTS.values()) <= gpu.SECONDS


def test_the_bundle_holds_sources_and_packages_without_what_the_machine_has() -> None:
    tracked, carried = dict(sources()), dict(packages())
    assert "bench/__main__.py" in tracked
    assert "site/peft/__init__.py" in carried
    assert not [name for name in carried if name.startswith(("site/torch/", "site/scipy/"))]
    libraries = {Path(name).stem for name in carried if "libbitsandbytes" in name}
    assert "libbitsandbytes_cpu" in libraries
    assert not [name for name in libraries if name.endswith(("cuda126", "rocm72"))]
    assert MOST == 64 * 2**20
