"""`repro claims draft` as a user meets it: YAML, and beside it what could not be read."""

from pathlib import Path

import pytest
import yaml

from repro.cli import main

Said = pytest.CaptureFixture[str]
TABLE = r"\begin{tabular}{lr} Model & EI \\ small & 0.50 \\ large & 0.250 \\ \end{tabular}"
BROKEN = r"\begin{tabular}{ll} a & {1 \\ b & 2 \end{tabular}"


def test_a_draft_is_yaml_with_the_exact_characters(tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "paper.tex").write_text(TABLE)
    assert main(["claims", "draft", str(tmp_path / "paper.tex")]) == 0
    out, err = capsys.readouterr()
    (block,) = yaml.safe_load(out)
    assert "draft" in block
    assert "0.50" in block["table"]
    assert "0.250" in block["table"]
    assert err == ""


def test_a_table_that_cannot_be_read_is_told_beside_the_others(
    tmp_path: Path, capsys: Said
) -> None:
    path = tmp_path / "paper.tex"
    path.write_text(f"{BROKEN}\n{TABLE}")
    assert main(["claims", "draft", str(path)]) == 0
    out, err = capsys.readouterr()
    assert len(yaml.safe_load(out)) == 1
    (line,) = err.splitlines()
    assert line.startswith(f"repro claims: {path}: ")
    assert "line 1" in line


def test_where_no_table_can_be_read_there_is_no_draft(tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "paper.tex").write_text("no table")
    for name in ("paper.tex", "absent.tex", "paper.pdf"):
        assert main(["claims", "draft", str(tmp_path / name)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert name in err
        assert err.count("\n") == 1


def test_an_action_has_to_be_named(capsys: Said) -> None:
    with pytest.raises(SystemExit) as end:
        main(["claims"])
    assert end.value.code == 2
    assert "required: ACTION" in capsys.readouterr().err
