"""Real places to push to: a folder, an SSH server on loopback, and S3 where a server was started
(ci/s3.sh).
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest

KEPT = Path(__file__).resolve().parents[2] / "evidence"


@pytest.fixture(scope="session")
def ssh_home(
    tmp_path_factory: pytest.TempPathFactory, helper: Callable[[str], ModuleType]
) -> Iterator[tuple[Path, int]]:
    """A home folder whose key a real SSH server on loopback takes, and the server's port."""
    home = tmp_path_factory.mktemp("home")
    with ExitStack() as open_now:
        try:
            port = open_now.enter_context(helper("../ci/places.py").ssh_server(home / "own"))
        except (FileNotFoundError, RuntimeError) as error:
            pytest.skip(str(error))
        yield home / "own", port


@pytest.fixture(params=["folder", "sftp", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place of each kind."""
    kind = request.param
    if kind == "folder":
        return str(tmp_path / "shelf")
    if kind == "sftp":
        pytest.importorskip("paramiko")
        home, port = request.getfixturevalue("ssh_home")
        monkeypatch.setenv("HOME", str(home))
        return f"sftp://127.0.0.1:{port}{tmp_path}/over/ssh"
    if "REPRO_TEST_S3" not in os.environ:
        pytest.skip("no S3 server: run the tests by ci/s3.sh")
    return f"{os.environ['REPRO_TEST_S3']}/{uuid.uuid4().hex}"


@pytest.fixture
def carried(tmp_path: Path) -> Path:
    """Three finished runs that the repository carries, with their list and the seals."""
    results = tmp_path / "carried"
    for name in ("runs/canary_entropies", "seals"):
        shutil.copytree(KEPT / name, results / name)
    (results / "asked").mkdir()
    shutil.copy(KEPT / "asked/canary_entropies.json", results / "asked")
    return results


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory, helper: Callable[[str], ModuleType]) -> Path:
    """A folder with two key pairs: mine, and another's."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("mine", "other"):
        helper("share/key_files.py").write_pair(folder / name)
    return folder
