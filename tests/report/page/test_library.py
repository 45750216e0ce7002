"""The drawing library that pages carry is the very one that files are drawn with."""

from pathlib import Path

import vl_convert

from repro.report.page.render import HERE

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_carries_the_library_that_vl_convert_holds() -> None:
    text = (HERE / "vega.js").read_text(encoding="utf-8")
    head, _, code = text.partition("*/\n")
    assert code == vl_convert.javascript_bundle()
    assert f"Vega {vl_convert.get_vega_version()}" in head
    assert "BSD 3-Clause" in head
    assert "</script" not in code.lower()
    assert "<!--" not in code
