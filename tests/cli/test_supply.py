"""`repro supply`, from outside: what authors of a twin send, and what is said of it everywhere."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from repro.cli import main
from repro.store.database import query

ROOT = Path(__file__).resolve().parents[2]
BY = "the authors"
SAID = "consistent with the authors' own files"


@pytest.fixture(scope="session")
def twin(helper: Callable[[str], ModuleType]) -> ModuleType:
    """What makes folders as authors send them."""
    return helper("supply/twin.py")


@pytest.fixture
def sent(twin: ModuleType, tmp_path: Path) -> Path:
    """Values, activations and labels of the twin's two runs."""
    folder: Path = twin.send(tmp_path / "sent")
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def supplied(
    capsys: pytest.CaptureFixture[str], folder: Path, results: Path, paper: object = "laptop"
) -> tuple[int, Any, str]:
    code, out, error = run(
        capsys, "supply", paper, folder, "--by", BY, "--results", results, "--json"
    )
    return code, json.loads(out) if out else None, error


@pytest.mark.worker
def test_a_twins_table_is_judged_and_says_whose_files_everywhere(
    sent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    code, content, _ = supplied(capsys, sent, results)
    assert (code, content["grade"], content["by"]) == (0, "supplied", BY)
    assert content["values"]["compared"] == 28  # all but the held-out losses
    assert content["disagreements"] == content["missing"] == content["doubts"] == []

    code, out, _ = run(capsys, "verify", "laptop", "--json", "--results", results)
    found = {c["id"]: c for c in json.loads(out)["claims"] if c["grade"] is not None}
    assert code == 3  # the other conditions were not sent
    assert {c["grade"] for c in found.values()} == {"supplied"}
    assert {c["outcome"] for c in found.values()} == {"consistent", "inconclusive"}
    grow, loss = found["laptop/scale/grow~3"], found["laptop/learning/falls~4"]
    assert grow["outcome"] == loss["outcome"] == "consistent"
    assert grow["reason"].startswith(f"{SAID} (supplied by {BY} on ")
    assert "measured here" in grow["reason"]
    assert "as they state them" in loss["reason"]
    assert grow["artefacts"]["supplied"]["by"] == BY
    assert grow["could_tell"] == {}

    screen = run(capsys, "verify", "laptop", "--results", results)[1]
    assert SAID in screen
    assert "reproduced" not in screen
    explained = run(capsys, "explain", grow["id"], "--results", results)[1]
    assert SAID.upper() in explained
    assert "runs of the authors gave" in explained
    assert "when the files came here; when they were made, no seal tells" in explained
    page = tmp_path / "page.html"
    run(capsys, "report", "laptop", "--results", results, "--out", page, "--files", tmp_path / "f")
    assert SAID.replace("'", "&#39;") in page.read_text()
    assert not re.search(r">[^<]*\d+ reproduced", page.read_text())
    asked = "SELECT DISTINCT grade, outcome FROM verdicts WHERE grade IS NOT NULL ORDER BY ALL"
    rows = query(results, asked)[1]
    assert rows == [("supplied", "consistent"), ("supplied", "inconclusive")]


@pytest.mark.worker
def test_a_forged_value_is_told_by_the_activations_and_judges_nothing(
    twin: ModuleType, sent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {"seed": 0, "step": 40, "quantity": "activation_rms"}
    line = twin.find(sent / "values.csv", **wanted)
    twin.change(sent / "values.csv", line, "value", "1.2")
    code, content, error = supplied(capsys, sent, tmp_path / "results")
    assert code == 1
    [told] = content["disagreements"]
    assert told.startswith(f"values.csv: line {line}: activation_rms (")
    assert "stated 1.2, but activations/B3-0-40.npz gives 1.59632; correct it, or send" in told
    assert told in error
    out = run(capsys, "verify", "laptop", "--json", "--results", tmp_path / "results")
    claims = {claim["id"]: claim for claim in json.loads(out[1])["claims"]}
    cell = "activation_rms (step 40, model smollm2-135m, condition B3)"
    cells = claims["laptop/scale/grow~3"]["artefacts"]["cells"]
    assert min(one["mean"] for one in cells.values()) > 1.5, cell
    assert told in claims["laptop/scale/grow~3"]["artefacts"]["supplied"]["told"]
    assert told in out[2]


@pytest.mark.worker
def test_the_verb_that_is_named_shows_every_claim_though_a_manifest_is_called_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent/values.csv").write_text(
        "model,condition,seed,step,quantity,concept,value\n"
        + "".join(
            f"smollm2-135m,B3,{seed},{step},heldout_loss,natural_language,{3.5 - step / 1000}\n"
            for seed, step in ((0, 0), (0, 500), (1, 500))
        )
    )
    results = tmp_path / "results"
    out = run(capsys, "supply", "laptop", tmp_path / "sent", "--by", BY, "--results", results)[1]
    assert "authors' own files or not, never reproduced" in out
    [command] = re.findall(r"`repro (verify [^`]+)`", out)
    assert (
        "on the authors' own files" in run(capsys, *shlex.split(command), "--results", results)[1]
    )


@pytest.mark.worker
def test_runs_of_the_claims_own_grade_judge_before_files(
    sent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], helper: Any
) -> None:
    helper("../ci/evidence.py").lay(tmp_path / "results")
    capsys.readouterr()
    assert supplied(capsys, sent, tmp_path / "results")[0] == 0
    out = run(capsys, "verify", "laptop", "--json", "--results", tmp_path / "results")[1]
    claims = {claim["id"]: claim for claim in json.loads(out)["claims"]}
    assert claims["laptop/scale/grow~3"]["grade"] == "twin"


@pytest.mark.worker
def test_adapters_give_their_entropies(
    twin: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [["file", "model", "condition", "seed", "step"]]
    for rank in (4, 16):
        for seed in range(3):
            twin.adapter(tmp_path / f"sent/{rank}-{seed}", rank, seed)
            rows.append([f"{rank}-{seed}", twin.MODEL, f"lora-{rank}", str(seed), "30"])
    twin.write(tmp_path / "sent/files.csv", rows)
    assert supplied(capsys, tmp_path / "sent", tmp_path / "results")[0] == 0
    name = "artificial_entanglement_laptop"
    out = run(capsys, "verify", name, "--json", "--results", tmp_path / "results")[1]
    found = {
        claim["id"].rpartition("/")[2]: claim
        for claim in json.loads(out)["claims"]
        if claim["grade"] == "supplied"
    }
    assert {found[one]["outcome"] for one in ("volume-law", "valley")} == {"consistent"}
    # random factors have a valley as deep as random factors have
    assert found["deeper-than-that-of-random-factors"]["outcome"] != "consistent"


@pytest.mark.worker
def test_the_same_folder_is_one_and_a_newer_one_takes_its_place(
    twin: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    folder = twin.send(tmp_path / "sent", activations=False)
    first = supplied(capsys, folder, results)[1]
    assert supplied(capsys, folder, results)[1]["supplied"] == first["supplied"]
    line = twin.find(folder / "values.csv", quantity="heldout_loss", step=40, concept="code")
    twin.change(folder / "values.csv", line, "value", "9.9")
    second = supplied(capsys, folder, results)[1]
    rows = query(results, "SELECT folder, counts FROM supplied ORDER BY supplied")[1]
    names = [Path(one["folder"]).name for one in (first, second)]
    assert rows == [(f"laptop/{names[0]}", False), (f"laptop/{names[1]}", True)]
    out = run(capsys, "verify", "laptop", "--json", "--results", results)[1]
    told = next(c for c in json.loads(out)["claims"] if c["grade"])["artefacts"]["supplied"]
    assert told["earlier_folders"] == 1


@pytest.mark.worker
def test_files_that_changed_are_refused(
    twin: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    content = supplied(capsys, twin.send(tmp_path / "sent", activations=False), results)[1]
    kept = Path(content["folder"])
    assert run(capsys, "verify", "laptop", "--deep", "--results", results)[0] == 3
    with (kept / "files/values.csv").open("a") as file:
        file.write("smollm2-135m,B3,2,40,heldout_loss,code,1.0\n")
    code, _, error = run(capsys, "verify", "laptop", "--deep", "--results", results)
    assert code == 2
    assert "files/values.csv: found" in error


PAPER = """
id: mine
title: A paper with an axis of its own
axes: [algorithm]
aliases: {model: {Big-7B: big}}
"""
CLAIMS = """
locator: Table 1
unverifiable: no manifest here trains it
quantity: score
model: big
step: 100
statements:
  - says: "ERM has 0.641 ± 0.050 of 4 runs and IRM 0.900 ± 0.010"
    claims:
      - {printed: "0.641 ± 0.050", algorithm: ERM}
      - {printed: "4", statistic: count, algorithm: ERM}
      - {printed: "0.900 ± 0.010", algorithm: IRM}
"""
HEADER = ("model", "algorithm", "seed", "step", "quantity", "value")


@pytest.mark.worker
def test_a_paper_with_axes_of_its_own_is_judged_by_its_folder(
    twin: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = tmp_path / "mine"
    paper.mkdir()
    (paper / "paper.yaml").write_text(PAPER)
    (paper / "claims.yaml").write_text(CLAIMS)
    near = [0.64, 0.65, 0.63, 0.65, 0.64, 0.66]
    rows = [["Big-7B", "ERM", seed, 100, "score", value] for seed, value in enumerate(near)]
    rows += [["big", "IRM", seed, 100, "score", 0.7 + seed / 100] for seed in range(4)]
    twin.write(tmp_path / "sent/values.csv", [HEADER, *rows])
    assert supplied(capsys, tmp_path / "sent", tmp_path / "results", paper)[0] == 0
    code, out, _ = run(capsys, "verify", paper, "--json", "--results", tmp_path / "results")
    claims = [claim for claim in json.loads(out)["claims"] if claim["basis"] == "measured"]
    found = {claim["printed"]: claim for claim in reversed(claims)}
    assert code == 1
    assert found["0.900 ± 0.010"]["outcome"] == "contradicted"
    assert found["0.900 ± 0.010"]["reason"].startswith("contradicted by the authors' own files")
    assert found["0.641 ± 0.050"]["estimate"] == pytest.approx(sum(near) / 6)


@pytest.mark.worker
@pytest.mark.parametrize("page", ["supply_authors.md", "supply_reviewers.md"])
def test_every_command_of_the_two_pages_is_carried_out_in_order(
    twin: ModuleType, tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As a reader would: in a folder where `sent` lies, one after another."""
    twin.send(tmp_path / "sent")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPRO_RESULTS", str(tmp_path / "results"))
    text = (ROOT / "docs" / page).read_text()
    commands = re.findall(r"^    repro ([^#\n]+?)(?:  +#.*)?$", text, re.M)
    assert len(commands) >= 4
    for command in commands:
        code = main(shlex.split(command))
        said = capfd.readouterr()
        assert code in (0, 3), (command, said.err)
        assert said.out, command
