"""Real places to push to: a folder, an SSH server on loopback, and S3 where a server was started
(ci/s3.sh).
"""

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

KEPT = Path(__file__).resolve().parents[2] / "evidence"
SSHD = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")
CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/.ssh/id_ed25519.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile {folder}/pid
Subsystem sftp internal-sftp
"""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def ssh_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A home folder whose key a real SSH server on loopback takes, and the server's port."""
    if SSHD is None:
        pytest.skip("no sshd here (Debian's openssh-server)")
    if os.getuid() == 0 and not Path("/run/sshd").is_dir():
        Path("/run/sshd").mkdir()
    home, port = tmp_path_factory.mktemp("home"), _free_port()
    (home / ".ssh").mkdir(mode=0o700)
    for file in (home / "host", home / ".ssh/id_ed25519"):
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", str(file)], check=True)
    (home / "sshd_config").write_text(CONFIG.format(port=port, folder=home))
    kind, key, *_ = (home / "host.pub").read_text().split()
    (home / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    with subprocess.Popen([SSHD, "-D", "-e", "-f", str(home / "sshd_config")], stderr=subprocess.PIPE) as server:  # fmt: skip
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            server.kill()
            pytest.skip(f"sshd does not start here: {server.communicate()[1].decode()[-200:]}")
        yield home, port
        server.terminate()


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
