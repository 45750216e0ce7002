"""`repro probes check` as a user meets it: the findings, and a code that is the verdict."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from repro.cli import main
from repro.geometry.labels import Labels
from repro.geometry.undefined import Array
from repro.manifest.probes import load_probe_set

Said = pytest.CaptureFixture[str]


def separable(noise: float) -> Array:
    """Activations that hold the labels in plain sight, under noise."""
    design = Labels.of(load_probe_set("factorial_48").labels())
    random = np.random.default_rng(0)
    plain = 3 * design.onehot @ random.normal(size=(design.onehot.shape[1], 40))
    found: Array = plain + noise * random.normal(size=(design.n, 40))
    return found


@pytest.mark.worker
def test_the_command_prints_the_findings_and_its_exit_code_is_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.npz", tmp_path / "bad.npz"
    np.savez(good, activations=separable(noise=0.1))
    np.savez(bad, activations=np.random.default_rng(1).normal(size=(48, 40)))
    assert main(["probes", "check", "factorial_48"]) == 0
    assert "not checked" in " ".join(capsys.readouterr().out.split())
    assert main(["probes", "check", "factorial_48", "--activations", str(good)]) == 0
    assert main(["probes", "check", "factorial_48", "--activations", str(bad)]) == 1
    assert "BROKEN" in capsys.readouterr().out
    assert main(["probes", "check", "--activations", str(good)]) == 2
    assert main(["probes", "check", "no_such_set"]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_a_set_of_ones_own_is_checked_from_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "concepts.yaml").write_text(
        "id: mine\ntitle: Mine\ndesign: Two each.\nlicence: MIT\nconcepts: {mood: [glad, "
        "sad]}\nbalanced: [[mood]]\n"
    )
    rows = [
        ("glad", "what a day"),
        ("glad", "we won at last"),
        ("glad", "it works"),
        ("sad", "it rains again"),
    ]
    lines = [
        json.dumps({"id": text, "labels": {"mood": mood}, "text": text}) for mood, text in rows
    ]
    (tmp_path / "probes.jsonl").write_text("\n".join(lines) + "\n")
    assert main(["probes", "check", str(tmp_path)]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 to 3" in printed
    assert "mine, 4 probes" in printed


@pytest.mark.worker
def test_rows_are_the_findings_of_every_set(capsys: Said) -> None:
    assert main(["probes", "check", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row[""] for row in rows} <= {"holds", "open"}
    assert main(["probes", "check", "factorial_48", "--format", "csv"]) == 0
    one = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert one == [row for row in rows if row["set"] == "factorial_48"]
    assert len(one) > 3


def test_activations_are_of_one_set_that_is_named(tmp_path: Path, capsys: Said) -> None:
    np.savez(tmp_path / "x.npz", activations=separable(0.1))
    assert main(["probes", "check", "--activations", str(tmp_path / "x.npz")]) == 2
    assert "activations belong to one set; name it: repro probes check SET" in (
        capsys.readouterr().err
    )
