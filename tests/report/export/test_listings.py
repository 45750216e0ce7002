"""The paper's own tables with what was measured beside, and rows in every format."""

import csv
import io
import re
from pathlib import Path

import pytest

from repro.claims.papers import find_paper
from repro.claims.table import parse_table
from repro.cli import main, parser
from repro.errors import InputError
from repro.report.export.listings import published_tables
from repro.report.export.tables import FORMATS
from repro.verify.verdict import Verdict

PAPER = find_paper("consolidated")
HEAD = "model,condition,seed,step,quantity,concept,value\n"


def told(name: str, **fields: object) -> Verdict:
    given = {"estimate": None, "kind": "seed_mean", "grade": None, "n": 0, "outcome": "not_run"}
    return Verdict.model_construct(id=name, **{**given, **fields})


def test_every_claim_of_a_table_has_one_cell_and_every_cell_its_print() -> None:
    """Against the claims, which are built on another way."""
    for table in PAPER.tables:
        placed = [name for _, _, names in table.claims for name in names]
        here = [c for c in PAPER.claims if c.locator == table.locator]
        assert len(set(placed)) == len(placed)
        assert set(placed) <= {claim.id for claim in here}
        printed = {claim.id: claim.printed for claim in here}
        for row, column, names in table.claims:
            cell = table.rows[row][table.header.index(column)]
            assert {printed[name] for name in names} == {cell}


def test_a_measured_column_stands_behind_each_that_holds_claims() -> None:
    (table,) = [table for table in PAPER.tables if table.locator == "Table 2"]
    mean, spread = next(names for row, column, names in table.claims if (row, column) == (0, "EI (after)"))  # fmt: skip
    verdicts = [
        told(mean, estimate=0.64133, outcome="consistent", n=3, grade="twin"),
        told(spread, estimate=0.0983, outcome="inconclusive", n=3, grade="twin", kind="spread"),
    ]
    (found,) = published_tables([PAPER], "Table 2", verdicts)
    assert found.name == "consolidated, Table 2; measured: a smaller twin"
    assert [column for column in found.columns if not column.endswith(", measured")] == [*table.header]  # fmt: skip
    first = dict(zip(found.columns, found.rows[0], strict=True))
    assert first["Model"] == "Qwen-7B"
    assert first["EI (after)"] == "0.641 ± 0.099"
    assert first["EI (after), measured"] == "0.6413 ± 0.0983 (n = 3): consistent, inconclusive"
    assert first["EI (before), measured"] == "not judged here"


def test_what_was_not_run_is_never_a_number() -> None:
    verdicts = [told(claim.id) for claim in PAPER.claims]
    for table in published_tables([PAPER], "Table *", verdicts):
        assert table.name.endswith("; measured: nothing")
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                assert not column.endswith(", measured") or cell in ("", "not run")


def test_a_place_that_no_table_has_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"nearest is Table 2; there are Table 2, Table 3"):
        [*published_tables([PAPER], "Tabel 2", [])]


LISTINGS = {
    "verify": ["verify", "smoke"],
    "judge": ["judge", "lora", "--values", "v.csv"],
    "audit": ["audit", "lora"],
    "plan": ["plan", "smoke"],
    "status": ["status"],
    "doctor": ["doctor"],
    "clean": ["clean"],
    "probes": ["probes", "check"],
    "sql": ["sql", "SELECT 1"],
}


@pytest.mark.parametrize("verb", LISTINGS)
def test_every_command_that_lists_takes_every_format(verb: str) -> None:
    for form in ("table", *FORMATS):
        assert parser().parse_args([*LISTINGS[verb], "--format", form]).format == form


@pytest.mark.worker
@pytest.mark.parametrize(
    "command",
    [
        ["verify", "smoke", "--all"],
        ["status"],
        ["plan", "smoke"],
    ],
    ids=lambda words: words[0],
)
def test_the_formats_hold_the_same_rows(
    command: list[str],
    evidence: Path,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REPRO_CACHE", str(cache))
    texts = {}
    for form in FORMATS:
        assert main([*command, "--results", str(evidence), "--format", form]) in (0, 3)
        texts[form] = capsys.readouterr().out
    rows = [*csv.reader(io.StringIO(texts["csv"]))]
    header, body = parse_table(re.sub("&lt;", "<", texts["markdown"]), "markdown")
    assert len(rows) > 2
    assert [header, *body] == rows
    latex = texts["latex"].splitlines()
    assert len([line for line in latex if line.endswith(r"\\")]) == len(rows) - 1
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in latex if "&" in line}) == 1


def test_one_command_prints_a_table_with_values_beside_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    values = ((42, 0.683), (0, 0.712), (1, 0.529))
    rows = [f"qwen2.5-coder-7b,B3,{s},5000,entanglement_intensity,,{ei}" for s, ei in values]
    (tmp_path / "v.csv").write_text(HEAD + "\n".join(rows) + "\n")
    words = ["--values", str(tmp_path / "v.csv"), "--tables", "Table 2", "--format", "markdown"]
    assert main(["judge", "consolidated", *words]) == 1  # some claims fail by definition
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if line.startswith("| Qwen-7B"))
    assert "| 0.641 ± 0.099 | 0.6413 ± 0.09836 (n = 3): " in line
    assert "| not run |" in line
