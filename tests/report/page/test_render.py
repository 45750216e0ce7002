"""The page: whole without any run, true to the store with some, and closed to what other people
wrote.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import vl_convert

from repro.claims.papers import load_claims
from repro.report.page.claims import ClaimLine, PaperTable
from repro.report.page.content import Content
from repro.report.page.render import HERE, _environment, page

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


@pytest.mark.worker
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


@pytest.mark.worker
def test_the_page_carries_the_library_that_vl_convert_holds() -> None:
    text = (HERE / "vega.js").read_text(encoding="utf-8")
    head, _, code = text.partition("*/\n")
    assert code == vl_convert.javascript_bundle()
    assert f"Vega {vl_convert.get_vega_version()}" in head
    assert "BSD 3-Clause" in head
    assert "</script" not in code.lower()
    assert "<!--" not in code
