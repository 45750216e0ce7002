"""Take the pictures of the documents from a report, in Chromium: by day, by night, narrow.

.venv/bin/python ci/pictures.py REPORT.html    → docs/pictures/*.png
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTH, NARROW = 1080, 390
PICTURES = {
    "report-top": ("light", WIDTH, "body", 700),
    "report-night": ("dark", WIDTH, "#trajectories", 560),
    "report-damage": ("light", WIDTH, "#damage", 480),
    "report-claims": ("light", NARROW, "#claims", 760),
}
"""Name → (theme, pixels across, where it begins, pixels down)."""


def main(report: Path) -> None:
    """Take every picture."""
    chromium = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    if chromium is None:
        sys.exit("pictures: no Chromium is here; install it, or name it in CHROMIUM")
    HERE.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (scheme, width, place, height) in PICTURES.items():
            _take(browser, report, HERE / f"{name}.png", scheme, width, place, height)
        browser.close()
    print(f"docs/pictures: {sum(file.stat().st_size for file in HERE.glob('*.png')) // 1024} KiB")


def _take(
    browser: Browser, report: Path, to: Path, scheme: str, width: int, place: str, height: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(report.resolve().as_uri())
    page.locator("html[data-drawn=all]").wait_for(state="attached", timeout=120_000)
    box = page.locator(place).first.bounding_box()
    assert box
    clip = {
        "x": 0,
        "y": max(0.0, box["y"] + page.evaluate("scrollY") - 8),
        "width": width,
        "height": min(height, box["height"] + 16),
    }
    page.screenshot(path=to, full_page=True, clip=clip)  # type: ignore[arg-type]
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
