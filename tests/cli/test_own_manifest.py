"""docs/manifests.md: its example does what the page says, as printed there."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import get_args

import pytest
import yaml

from repro.manifest.adapters import BlockDiagonal, Lora
from repro.manifest.data import HubDataset, LocalFile
from repro.manifest.experiment import Diagnostics, Experiment, Further
from repro.manifest.training import Condition, Csr, Training

Command = Callable[..., CompletedProcess[str]]
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "manifests.md").read_text()
FILES = re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?)```", PAGE, re.S)
QUERIES = re.findall(r'repro sql "([^"]+)"', PAGE)
CLAIMS = """
- locator: Expectations
  measured_by: mine
  model: tiny-qwen2
  condition: mixed
  step: 4
  statements:
    - says: "the loss on notes ends lower, at 6.9 for one seed"
      quantity: heldout_loss
      concept: notes
      claims:
        - {printed: "lower", statistic: below, of: mean, against: {step: 0}}
        - {printed: "6.9"}
        - {printed: "one", statistic: count}
"""


@pytest.mark.worker
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("path: notes.jsonl", "path: absent.jsonl", "found no file"),
        ("{", "{nope} {", "notes.jsonl:1: has no field 'nope', which the template"),
        ("heldout: ", "heldout: 9", "which every second is held out at the most"),
    ],
)
def test_the_plan_reads_a_file_of_one_s_own_before_anything_is_run(
    repro: Command, tmp_path: Path, before: str, after: str, expected: str
) -> None:
    """As printed the page's example is planned, which the test below shows."""
    for name, content in FILES:
        (tmp_path / name).write_text(content)
    content = (tmp_path / "mine.yaml").read_text()
    place = content.index(before, content.index("template:") if before == "{" else 0)
    (tmp_path / "mine.yaml").write_text(content[:place] + after + content[place + len(before) :])
    for verb in ("plan", "run"):
        done = repro(verb, "mine.yaml")
        assert done.returncode == 2
        assert expected in done.stderr.splitlines()[-1]
    assert not list(tmp_path.glob("results/runs/*/*"))


@pytest.mark.worker
def test_the_page_s_example_runs_and_its_queries_find_the_numbers(
    repro: Command, tmp_path: Path
) -> None:
    assert [name for name, _ in FILES] == ["mine.yaml", "notes.jsonl"]
    for name, content in FILES:
        (tmp_path / name).write_text(content)
    assert repro("plan", "mine.yaml").returncode == 0
    ran = repro("run", "mine.yaml")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 of 2 runs finished; evidence in" in ran.stdout
    assert {path.parent.name for path in tmp_path.glob("results/runs/*/*")} == {"mine"}
    assert repro("ingest").returncode == 0
    first, losses, undefined, states = (
        json.loads(repro("sql", sql, "--format", "json").stdout) for sql in QUERIES
    )
    assert [(row["condition"], row["step"]) for row in first] == [
        ("base", 0),
        ("mixed", 0),
        ("mixed", 2),
        ("mixed", 4),
    ]
    assert {row["domain"] for row in losses} == {"notes", "code"}
    assert all(row["loss"] > 0 for row in losses)
    missing = sum(row[column] is None for row in first for column in ("ei", "ei_anchored"))
    assert len(undefined) == missing
    assert all(row["reason"] for row in undefined)
    assert {row["status"] for row in states} == {"done"}
    judged = repro("verify", "mine.yaml")
    assert judged.returncode == 0
    assert "repro sql" in judged.stdout
    _judged_alike_anywhere(repro, tmp_path)


def _judged_alike_anywhere(repro: Command, folder: Path) -> None:
    """Claims about the finished runs have the same verdicts beside their manifest, in a checkout's
    place, and far away.
    """
    paper = folder / "mine_claims"
    paper.mkdir()
    (paper / "paper.yaml").write_text(
        "id: mine_claims\ntitle: what mine should show\nevidence: random\n"
    )
    (paper / "claims.yaml").write_text(CLAIMS)
    beside = repro("verify", "mine_claims", "--json")
    assert beside.returncode == 0, beside.stderr
    verdicts = json.loads(beside.stdout)
    assert verdicts["counts"]["measured"]["not_run"] == 0
    assert all(claim["estimate"] is not None for claim in verdicts["claims"])
    for place in ("manifests/papers", "far/away"):
        (folder / place).mkdir(parents=True)
        shutil.move(paper, folder / place)
        paper = folder / place / "mine_claims"
        if place == "manifests/papers":
            for name, _ in FILES:
                shutil.copy(folder / name, folder / "manifests")
            assert repro("verify", "mine", "--json").stdout == beside.stdout
            (folder / "manifests" / "mine.yaml").unlink()
        else:
            assert (
                repro("verify", "mine.yaml", "--papers", "far/away", "--json").stdout
                == beside.stdout
            )


def test_the_page_s_manifest_is_one_by_its_file_s_own_name_alone(
    repro: Command, tmp_path: Path
) -> None:
    for name, content in FILES:
        (tmp_path / name.replace("mine", "other")).write_text(content)
    refused = repro("plan", "other.yaml")
    assert refused.returncode == 2
    assert "found 'mine', expected 'other', the file's own name" in refused.stderr


def test_the_page_s_example_keeps_the_records_it_names_alone(tmp_path: Path) -> None:
    from repro.train.records import local

    (tmp_path / "notes.jsonl").write_text(dict(FILES)["notes.jsonl"])
    source = yaml.safe_load(dict(FILES)["mine.yaml"])["sources"]["notes"]
    texts = local(LocalFile.model_validate(source).found(tmp_path, "here"))
    assert len(texts) == 5
    assert texts[0].startswith("Tides\nThe moon")
    everything = LocalFile.model_validate({**source, "only": {}}).found(tmp_path, "here")
    assert len(local(everything)) == 6, "the control"


def test_the_page_names_every_field_that_one_needs() -> None:
    named = set(
        re.findall(r"[a-z][a-z_0-9]+", " ".join(re.findall(r"`[^`]+`", PAGE.replace("```", ""))))
    )
    for record, left_out in (
        (Experiment, {"about"}),
        (Condition, set()),
        (LocalFile, {"kind"}),
        (HubDataset, {"kind", "note"}),
        (Diagnostics, set()),
        (Lora, {"kind"}),
        (BlockDiagonal, {"kind"}),
        (Csr, set()),
    ):
        assert set(record.model_fields) - left_out <= named, record.__name__
    assert set(get_args(Further)) <= named
    assert {"lora", "adapter", "optimizer", "csr", "heldout", "max_length"} <= named & set(
        Training.model_fields
    )
    assert not re.search(r"/(work|tmp|root|home)/", PAGE)
