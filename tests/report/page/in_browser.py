"""The report in a real Chromium: nothing is fetched or complained of, filters and keys work, nobody
is shut out.

Run by ci/browser.sh, which says where Chromium is; `make test` does not collect this file.

The page works after the event that a test sends: it filters when typing pauses, writes numbers when
a figure's list says that it opened, draws when the browser is idle. So whatever a page does is
awaited (`expect`, `wait_for`), never read at once, and a page is closed before the next opens.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from repro.claims.papers import load_claims
from repro.report.page.content import Content
from repro.report.page.render import page as render

from .test_render import hostile

SERIOUS = ("serious", "critical")
TOTAL = len(load_claims())
ALL = f"{TOTAL:,} of {TOTAL:,} claims shown"
PATIENCE = 90_000
"""Milliseconds; a busy machine is slow, not wrong. Nothing waits that long where all is well."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that is here; its sandbox needs an unprivileged user, and these pages are ours."""
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
        yield found
        found.close()


class Visit:
    """An open page, and what it said and asked for meanwhile."""

    def __init__(self, page: Page, path: Path, anchor: str = "") -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(f"{path.as_uri()}{anchor}")

    def drawn(self) -> Page:
        """Wait until every figure is drawn."""
        expect(self.page.locator("html")).to_have_attribute("data-drawn", "all")
        return self.page


Opener = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Opener]:
    """Open pages; they are closed when the test ends, and draw nothing beside the next."""
    opened: list[Page] = []

    def open_page(
        path: Path, scheme: str = "light", width: int = 1280, anchor: str = "", before: str = ""
    ) -> Visit:
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        opened.append(page)
        page.add_init_script(before)
        return Visit(page, path, anchor)

    yield open_page
    for page in opened:
        page.close()


def serious(page: Page) -> list[str]:
    """What axe finds that shuts somebody out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {item['nodes'][0]['html'][:200]}"
        for item in found
        if item["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("name", ["measured", "empty"])
def test_all_is_drawn_and_nothing_is_fetched_or_complained_of(
    visit: Opener, pages: dict[str, Path], name: str
) -> None:
    opened = visit(pages[name])
    page = opened.drawn()
    assert not opened.said
    assert [url for url in opened.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    figures = page.locator("figure").count()
    assert figures > 10
    expect(page.locator("figure .chart svg")).to_have_count(figures)
    with page.expect_console_message() as control:
        page.evaluate("console.error('a control')")
    assert control.value.text == "a control"
    assert opened.said == ["error: a control"]


def test_search_and_filters(visit: Opener, pages: dict[str, Path]) -> None:
    page = visit(pages["measured"]).page
    count, rows = page.locator("#count"), page.locator("#table tbody tr:not(.group):visible")
    page.select_option("#view", "all")
    expect(count).to_have_text(ALL)
    page.fill("#search", "0.641 ± 0.099")
    expect(count).not_to_have_text(ALL)
    texts = rows.all_inner_texts()
    assert 0 < len(texts) < 100
    assert all("0.641 ± 0.099" in text for text in texts)
    page.fill("#search", "no claim says this")
    expect(count).to_have_text(f"0 of {TOTAL:,} claims shown")
    expect(rows).to_have_count(0)
    page.fill("#search", "")
    expect(count).to_have_text(ALL)
    page.select_option("#view", "fails")
    expect(count).to_have_text(f"3 of {TOTAL:,} claims shown")
    page.select_option("#paper", "selective")
    expect(count).to_have_text(f"2 of {TOTAL:,} claims shown")
    page.click("#reset")
    expect(count).to_have_text(ALL)


def test_sorting_by_a_column_and_back(visit: Opener, pages: dict[str, Path]) -> None:
    """The control: by the papers' own order the names are in no order of the alphabet."""
    page = visit(pages["measured"]).page
    page.select_option("#view", "all")
    page.select_option("#paper", "laptop")
    expect(page.locator("#count")).not_to_have_text(ALL)
    names = page.locator("#table tbody tr:not(.group):visible td:nth-child(2)")
    heading = page.locator("#table thead th:nth-child(2)")
    own = names.all_text_contents()
    assert len(own) > 10
    assert own != sorted(own, key=str.lower)
    heading.locator("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    up = names.all_text_contents()
    assert up == sorted(own, key=str.lower)
    heading.locator("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert names.all_text_contents()[0] == up[-1]
    page.click("#reset")
    expect(page.locator("[aria-sort]")).to_have_count(0)


def test_a_link_to_a_claim_shows_it_whatever_is_filtered(
    visit: Opener, pages: dict[str, Path]
) -> None:
    claim = next(
        claim
        for claim in load_claims()
        if claim.source == "selective" and claim.locator == "Table 2"
    )
    row = visit(pages["empty"], anchor=f"#{claim.id}").page.locator(f'[id="{claim.id}"]')
    expect(row).to_be_in_viewport()
    hidden = visit(pages["empty"]).page.locator(f'[id="{claim.id}"]')
    expect(hidden).to_be_hidden()


def test_a_square_leads_to_its_claim(visit: Opener, pages: dict[str, Path]) -> None:
    page = visit(pages["empty"]).page
    square = page.locator(".strip i").nth(100)
    claim = square.get_attribute("data-c")
    square.click()
    expect(page.locator(f'[id="{claim}"]')).to_be_in_viewport()


def test_the_keyboard_is_enough(visit: Opener, pages: dict[str, Path]) -> None:
    page = visit(pages["measured"]).page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.locator("#view").focus()
    expect(page.locator("#view")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#count")).to_have_text(ALL)
    page.locator("#table thead button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[aria-sort=ascending]")).to_have_count(1)
    page.locator("figure summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("figure .numbers table tbody tr").nth(3)).to_be_attached()


@pytest.mark.parametrize(
    ("scheme", "width", "name"),
    [("light", 1280, "smoke"), ("dark", 1280, "smoke"), ("light", 390, "empty")],
)
def test_axe_finds_nothing_serious(
    visit: Opener, pages: dict[str, Path], scheme: str, width: int, name: str
) -> None:
    page = visit(pages[name], scheme, width).drawn()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious(page) == []


def test_axe_would_find_what_is_wrong(visit: Opener, pages: dict[str, Path]) -> None:
    page = visit(pages["smoke"]).drawn()
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    expect(page.locator("h1")).to_have_css("color", "rgb(238, 238, 238)")
    assert "color-contrast" in " ".join(serious(page))


def test_themes_can_be_chosen(visit: Opener, pages: dict[str, Path]) -> None:
    page = visit(pages["empty"], "dark").page
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    expect(page.locator("body")).not_to_have_css("background-color", dark)
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.click("#theme")
    expect(page.locator("body")).to_have_css("background-color", dark)


def test_a_figure_is_saved(visit: Opener, pages: dict[str, Path]) -> None:
    page = visit(pages["smoke"]).drawn()
    page.locator("figure summary").first.click()
    for kind, begins in (("svg", b"<svg"), ("png", b"\x89PNG"), ("csv", b"kind,")):
        with page.expect_download() as saved:
            page.locator(f"figure [data-save={kind}]").first.click()
        content = Path(saved.value.path()).read_bytes()
        assert content.startswith(begins)
        assert b"var(--" not in content


def test_what_is_shown_is_saved(visit: Opener, pages: dict[str, Path]) -> None:
    page = visit(pages["empty"]).page
    page.select_option("#view", "fails")
    expect(page.locator("#count")).to_have_text(f"3 of {TOTAL:,} claims shown")
    for kind, line in (
        ("csv", "Id,Verdict"),
        ("md", "| Id | Verdict"),
        ("tex", r"\begin{tabular}"),
    ):
        with page.expect_download() as saved:
            page.click(f"[data-table={kind}]")
        text = Path(saved.value.path()).read_text(encoding="utf-8")
        assert text.startswith(line)
        assert text.count("fails") >= 3


def test_what_others_wrote_does_nothing(visit: Opener, measured: Content, tmp_path: Path) -> None:
    """The control: the same words in a page without escaping and policy do something."""
    path = tmp_path / "hostile.html"
    path.write_text(render(hostile(measured)), encoding="utf-8")
    page = visit(path).drawn()
    page.locator("figure summary").first.click()
    expect(page.locator("figure .numbers").first).to_contain_text("window.harm")
    page.locator("figure .chart svg .mark-symbol.role-mark path").first.hover(force=True)
    expect(page.locator("#vg-tooltip-element.visible")).to_contain_text("window.harm")
    assert page.evaluate("window.harm") is None
    control = tmp_path / "control.html"
    control.write_text("<script>window.harm = 1</script>", encoding="utf-8")
    visit(control).page.wait_for_function("window.harm === 1")


def test_it_prints_by_day(visit: Opener, pages: dict[str, Path]) -> None:
    page = visit(pages["measured"], "dark").drawn()
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator("nav")).to_be_hidden()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_what_is_printed_at_once_has_every_figure(visit: Opener, pages: dict[str, Path]) -> None:
    """The control: where the browser is never idle, only what is in view is drawn before."""
    page = visit(pages["measured"], before="window.requestIdleCallback = () => 0").page
    figures = page.locator("figure").count()
    expect(page.locator("html")).not_to_have_attribute("data-drawn", "all")
    assert page.locator("figure .chart svg").count() < figures / 2
    assert page.pdf(format="A4").startswith(b"%PDF")
    expect(page.locator("figure .chart svg")).to_have_count(figures)
