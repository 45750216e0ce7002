"""The page: templates filled with the content, all in one file.

Everything is escaped that was not written here.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from repro.plain import plain
from repro.report.page.content import Content
from repro.report.page.figure import CONFIG, LIGHT
from repro.report.page.headline import hours
from repro.report.page.words import GLOSSARY, OF_PRINTS

HERE = Path(__file__).parent


def page(content: Content) -> str:
    """Return the whole HTML."""
    style, script, library = (_own(name) for name in ("page.css", "page.js", "vega.js"))
    names: dict[str, int] = {}
    figures = [figure.record(names) for figure in content.figures]
    record = {"config": CONFIG, "light": LIGHT, "names": list(names), "figures": figures}
    words = GLOSSARY if content.measurable else {name: GLOSSARY[name] for name in OF_PRINTS}
    return _environment().get_template("page.html.j2").render(
        c=content, words=words, title=content.title, hours=hours, style=style,
        script=script, library=library, script_sources=Markup(" ".join(map(_hash, (library, script)))),
        data=htmlsafe_json_dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    )  # fmt: skip


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_shown,
    )  # fmt: skip


def _shown(value: Any) -> Any:
    """Spell out the control characters of other people's words; escaping follows."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _own(name: str) -> Markup:
    """Return a file of this package; it goes into the page as it is."""
    return Markup((HERE / name).read_text(encoding="utf-8"))


def _hash(script: str) -> str:
    """Return a script's digest as a content security policy names it: no other script may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
