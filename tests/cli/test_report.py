"""`repro report` as a user meets it: one page of all, of a manifest, or of somebody's paper."""

import re
from html import unescape
from pathlib import Path

import pytest

from repro.claims.papers import load_claims
from repro.cli import main

ROOT = Path(__file__).resolve().parents[2]


def test_a_page_of_one_manifest_holds_its_claims_alone(evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "smoke.html"
    assert main(["report", "smoke", "--results", str(evidence), "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    ids = {unescape(one) for one in re.findall(r'\bid="([^"]+)"', text)}
    mine = {claim.id for claim in load_claims() if claim.measured_by == "smoke"}
    assert mine
    assert mine == {claim.id for claim in load_claims()} & ids
    assert "crosstalk_laptop" not in text.split('id="data"')[0]


@pytest.mark.worker
def test_a_page_of_somebody_s_paper_speaks_of_that_paper(
    evidence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its title, whatever the folder's path; nothing about what this project measures."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "paper.yaml").write_text("id: mine\ntitle: Heads of small translators\n")
    (folder / "claims.yaml").write_text(
        "locator: Table 1\nquantity: bleu\nunverifiable: nobody\nkeys: {Model: model}\n"
        "columns: {BLEU: {condition: B3}}\n"
        "rows: {Mean: {statistic: mean, over: model}}\n"
        "table: |\n  | Model | BLEU |\n  | a | 2.0 |\n  | b | 4.0 |\n  | Mean | 4.0 |\n"
    )
    out = tmp_path / "page.html"
    assert main(["report", str(folder), "--results", str(evidence), "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8").split('id="data"')[0]
    assert "<h1>Heads of small translators</h1>" in text
    assert str(tmp_path) not in text
    assert "3 prints were compared with others" in text
    assert "for want of evidence" not in text
    assert "entanglement" not in text.split("<body>")[1]
    (note,) = capsys.readouterr().err.splitlines()
    assert note.startswith("repro report: weights of "), "a line begins with its verb"


@pytest.mark.worker
def test_a_page_of_a_paper_shows_the_runs_of_the_manifests_it_names(
    evidence: Path, tmp_path: Path
) -> None:
    """The carried runs of crosstalk_laptop and laptop serve statements of the paper `laptop`."""
    out = tmp_path / "page.html"
    papers = [claim.measured_by for claim in load_claims() if claim.source == "laptop"]
    assert {"laptop"} < {*papers}
    folder = str(ROOT / "manifests" / "papers" / "laptop")
    assert main(["report", folder, "--results", str(evidence), "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert "<h1>What a few steps on small models should show</h1>" in text
    assert "Nothing has been run here yet" not in text
    assert 'id="f-' in text


def test_bad_input_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "no_such_manifest", "--out", str(tmp_path / "x.html")]) == 2
    (tmp_path / "file").write_text("")
    assert (
        main(
            [
                "report",
                "smoke",
                "--results",
                str(tmp_path),
                "--out",
                str(tmp_path / "file" / "x.html"),
            ]
        )
        == 2
    )
    lines = capsys.readouterr().err.strip().splitlines()
    assert [line.count("Traceback") for line in lines] == [0] * len(lines)
    assert "no_such_manifest" in lines[0]


def test_files_beside_the_page_are_its_figures_and_tables(
    evidence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line counts what was written; every figure is there as SVG and as PNG."""
    out, folder = tmp_path / "page.html", tmp_path / "files"
    asked = ["report", "crosstalk_laptop", "--results", str(evidence), "--out", str(out)]
    assert main([*asked, "--files", str(folder)]) == 0
    written = [path for path in folder.rglob("*") if path.is_file()]
    first, second = capsys.readouterr().out.splitlines()
    figures = [path.stem for path in written if path.suffix == ".svg"]
    assert first.startswith(f"{out}: {len(figures)} figures, ")
    assert second == f"{folder}: {len(written)} files"
    assert figures
    assert sorted(figures) == sorted(path.stem for path in written if path.suffix == ".png")
