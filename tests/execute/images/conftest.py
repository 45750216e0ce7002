"""A Debian archive on loopback, and two packages that it may hold."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from repro.execute.images import debs


@pytest.fixture(scope="module")
def debian(helper: Callable[[str], ModuleType]) -> Any:
    """The helper that makes packages and archives."""
    return helper("execute/images/debian.py")


@pytest.fixture
def archive(
    debian: Any,
    helper: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """An archive on loopback that this machine takes for its mirror and for Debian's snapshots."""
    if shutil.which("gpg") is None:
        pytest.skip("needs gpg, which signs the archive of the test")
    held = debian.Archive(tmp_path / "gpg")
    with helper("fetch/loopback.py").serving(held.answer) as address:
        monkeypatch.setattr(debs, "SOURCES", ("/no/apt/here",))
        monkeypatch.setitem(debs.MIRRORS, "debian", f"{address}/mirror")
        monkeypatch.setitem(debs.MIRRORS, "debian-security", f"{address}/security")
        monkeypatch.setenv("REPRO_SNAPSHOT", f"{address}/snapshot")
        yield held


@pytest.fixture
def packages(debian: Any) -> dict[tuple[str, str], bytes]:
    """Two packages, one with a plus and a tilde in its version, as Debian's have them."""
    return {
        ("liba", "1.0+b2~deb12u1"): debian.deb(
            {"lib/x86/liba.so": "one", "usr/share/doc/liba/copyright": "free"}
        ),
        ("tool", "2"): debian.deb(
            {"bin/tool": "two", "usr/share/man/tool.1": "words"}, {"bin/t": "tool"}
        ),
    }
