"""The page: whole without any run, true to the store with some, and closed to what other people
wrote.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from repro.claims.papers import load_claims, load_papers
from repro.cli import main
from repro.report.page.claims import ClaimLine, PaperTable
from repro.report.page.content import Content
from repro.report.page.render import _environment, page
from repro.store.database import query

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "</script><script>window.harm = 1</script><img src=x onerror='window.harm = 2'>\u202e\x1b"


class Elements(HTMLParser):
    """Tags, ids, links and what scripts there are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture(scope="module")
def html(pages: dict[str, Path]) -> dict[str, str]:
    return {name: path.read_text(encoding="utf-8") for name, path in pages.items()}


@pytest.mark.parametrize("name", ["measured", "empty"])
def test_every_claim_stands_on_the_page_and_every_link_of_it_leads_somewhere(
    html: dict[str, str], name: str
) -> None:
    found = Elements(html[name])
    assert {claim.id for claim in load_claims()} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert all(link.startswith("#") for link in found.links)
    assert {unquote(link[1:]) for link in found.links} <= set(found.ids)


def test_the_page_of_nothing_has_the_audit_and_says_that_nothing_was_run(
    html: dict[str, str],
) -> None:
    assert "Nothing has been run here yet" in html["empty"]
    assert "Nothing has been run here yet" not in html["measured"]
    assert "prints against prints" in html["empty"]
    assert "0 are judged" not in html["empty"]


def test_a_page_is_below_three_megabytes(pages: dict[str, Path]) -> None:
    assert all(100_000 < path.stat().st_size < 3_000_000 for path in pages.values())


def test_findings_have_both_places(measured: Content) -> None:
    severe = [finding for finding in measured.findings if finding.severity == "substantive"]
    claims = {claim.id: claim for claim in load_claims()}
    assert severe
    for finding in severe:
        assert claims[finding.here.claim].printed == finding.here.printed
        assert all(claims[place.claim].locator == place.locator for place in finding.there)


def test_what_the_figures_draw_is_what_the_store_holds(measured: Content, evidence: Path) -> None:
    figures = {figure.id: figure for figure in measured.figures}
    drawn = [
        dict(zip(f.columns, row, strict=True))
        for n, f in figures.items()
        if n.startswith("trajectory-smoke")
        for row in f.rows
    ]
    _, rows = query(
        evidence,
        "SELECT condition, step, ei FROM trajectories WHERE experiment = 'smoke' AND ei IS "
        "NOT NULL",
    )
    ours = sorted(
        (row["condition"], row["step"], row["ei"]) for row in drawn if row["kind"] == "measured"
    )
    assert len(rows) > 20
    assert ours == sorted((c, s, float(f"{e:.5g}")) for c, s, e in rows)
    heat = figures["damage-smoke-tiny-qwen2"]
    _, damage = query(
        evidence,
        "SELECT condition, direction + 1, concept, avg(value) FROM measurements JOIN runs "
        "USING (run_id) WHERE quantity = 'damage' "
        "AND experiment = 'smoke' AND model = 'tiny-qwen2' AND step = steps GROUP BY ALL",
    )
    shown = {(row[0], row[1], row[2]): row[3] for row in heat.rows}
    assert shown == pytest.approx({(c, d, k): float(f"{v:.5g}") for c, d, k, v in damage})


def test_each_direction_belongs_to_the_concept_it_loads_on_most(
    measured: Content, evidence: Path
) -> None:
    heat = next(figure for figure in measured.figures if figure.id == "damage-smoke-tiny-llama")
    _, rows = query(
        evidence,
        "SELECT condition, direction + 1, arg_max(concept, v) FROM (SELECT condition, "
        "direction, concept, avg(value) AS v "
        "FROM measurements JOIN runs USING (run_id) WHERE quantity = 'loading' AND "
        "experiment = 'smoke' AND model = 'tiny-llama' "
        "AND step = steps GROUP BY ALL) GROUP BY ALL",
    )
    own = {(row[0], row[1]): row[2] for row in heat.rows if row[4] == "own concept"}
    assert own == {(condition, direction): concept for condition, direction, concept in rows}


def test_the_papers_values_lie_over_the_trajectories(measured: Content) -> None:
    figure = next(
        figure
        for figure in measured.figures
        if figure.id == "trajectory-scale-ladder-qwen2-5-coder-7b"
    )
    rows = [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]
    last = [
        row
        for row in rows
        if row["kind"] == "published" and row["step"] == 5000 and row["seed"] is None
    ]
    assert any(
        (row["ei"], row["low"], row["high"]) == pytest.approx((0.641, 0.542, 0.74)) for row in last
    )


def hostile(content: Content) -> Content:
    """The same content as somebody wrote it who wants scripts to run."""
    fields = dict.fromkeys(
        ("name", "says", "printed", "measured", "words", "reason", "source", "locator"), HOSTILE
    )
    line = ClaimLine(
        id=HOSTILE, outcome="fails", symbol="≠", grade="own", basis="measured", audit=(f"x:{HOSTILE}",), headline=True, **fields
    )  # fmt: skip
    tables = [*content.tables[:2], PaperTable("table-1000", HOSTILE, HOSTILE, (line,))]
    figure = content.figures[0]
    bad = type(figure)(
        "bad",
        HOSTILE,
        HOSTILE,
        figure.columns,
        tuple(
            # Numbers and what has a colour stay: the mark has to be drawn to be pointed at.
            tuple(
                HOSTILE if isinstance(cell, str) and name not in ("kind", "condition") else cell
                for name, cell in zip(figure.columns, row, strict=True)
            )
            for row in figure.rows[:2]
        ),
        figure.spec,
    )
    section = type(content.sections[0])("bad", HOSTILE, HOSTILE, HOSTILE, (bad,), HOSTILE)
    run = dict.fromkeys(content.runs[0], HOSTILE)
    return type(content)(
        HOSTILE, HOSTILE, HOSTILE, [HOSTILE], HOSTILE, tables, content.legend, {**content.papers, HOSTILE: HOSTILE}, [section],
        content.findings[:2], content.coverage, content.prices, [run], [(HOSTILE, HOSTILE)], [HOSTILE],
    )  # fmt: skip


def test_what_others_wrote_is_text(measured: Content) -> None:
    """The control shows that a template without escaping would be caught."""
    html = page(hostile(measured))
    found = Elements(html)
    assert found.tags.count("script") == 3
    assert "img" not in found.tags
    assert not found.handlers
    assert "\u202e" not in html.replace(re.search(r'id="data">(.*?)</script>', html, re.S)[1], "")  # type: ignore[index]
    assert "\x1b" not in html
    environment = _environment()
    environment.autoescape = False
    control = Elements(environment.from_string("{{ words }}").render(words=HOSTILE))
    assert "img" in control.tags
    assert control.handlers


def test_the_policy_of_the_page_lets_its_own_scripts_run_and_no_other(html: dict[str, str]) -> None:
    policy = re.search(r'content="(default-src[^"]+)"', html["empty"])
    assert policy
    assert "default-src 'none'" in policy[1]
    assert policy[1].count("'sha256-") == 2
    assert "unsafe-eval" not in policy[1]
    assert "'unsafe-inline'" not in policy[1].split("style-src")[0]


def test_the_data_of_a_page_is_json_without_tags(html: dict[str, str]) -> None:
    data = re.search(r'id="data">(.*?)</script>', html["measured"], re.S)
    assert data
    assert "<" not in data[1]
    assert {"figures", "names", "config", "light"} <= json.loads(data[1]).keys()


def test_a_page_of_one_manifest_holds_its_claims_alone(evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "smoke.html"
    assert main(["report", "smoke", "--results", str(evidence), "--out", str(out)]) == 0
    found = Elements(out.read_text(encoding="utf-8"))
    mine = {claim.id for claim in load_claims() if claim.measured_by == "smoke"}
    assert mine
    assert mine == {claim.id for claim in load_claims()} & set(found.ids)
    assert "crosstalk_laptop" not in out.read_text(encoding="utf-8").split('id="data"')[0]


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


def test_bad_input_is_told_in_one_line(tmp_path: Path, capsys) -> None:
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


def test_titles_come_from_the_papers(measured: Content) -> None:
    assert measured.papers == {paper.id: paper.title for paper in load_papers() if paper.claims}
