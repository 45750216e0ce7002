"""A server that is not known is not spoken to."""

from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.share.shelf import open_shelf

pytest.importorskip("paramiko")


def test_a_server_whose_key_is_not_known_is_refused(
    ssh_home: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, port = ssh_home
    monkeypatch.setenv("HOME", str(home))
    known = home / ".ssh/known_hosts"
    before = known.read_text()
    (tmp_path / "x").mkdir()
    url = f"sftp://127.0.0.1:{port}{tmp_path}/x"
    try:
        with open_shelf(url) as shelf:
            assert shelf.names("") == [], "the control"
        known.write_text("")
        with pytest.raises(ReproError, match="not found in known_hosts"), open_shelf(url):
            pass
    finally:
        known.write_text(before)
