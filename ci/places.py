"""Places that evidence travels to, of every kind, and ways to them that harm what passes.

An SSH server is started here, on loopback; of S3, ci/s3.sh starts one and says where it is.
"""

import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

SSHD = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")
CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/.ssh/id_ed25519.pub
StrictModes no
UsePAM no
PasswordAuthentication no
MaxStartups 100
PidFile {folder}/pid
Subsystem sftp internal-sftp
"""
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Place:
    """Where evidence is pushed to."""

    url: str
    environment: Mapping[str, str]
    """What reaches it."""
    port: int | None = None
    """Of its server; None for a folder."""
    known_hosts: Path | None = None

    def through(self, port: int) -> "Place":
        """Return the same place by another port."""
        url = self.url.replace(f":{self.port}", f":{port}")
        changed = {k: x.replace(f":{self.port}", f":{port}") for k, x in self.environment.items()}
        if self.known_hosts:
            host = self.known_hosts.read_text().splitlines()[0]
            with self.known_hosts.open("a") as file:
                file.write(host.replace(f":{self.port} ", f":{port} ") + "\n")
        return replace(self, url=url, environment=changed, port=port)


@contextmanager
def opened_place(kind: str, work: Path) -> Iterator[Place]:
    """Yield an empty place: `folder` and `sftp` below a folder, `s3` where ci/s3.sh was started."""
    if kind == "sftp":
        with ssh_server(work / "home") as port:
            yield Place(
                f"sftp://127.0.0.1:{port}{work}/there",
                {"HOME": str(work / "home")},
                port,
                work / "home/.ssh/known_hosts",
            )
    elif kind == "s3":
        endpoint = os.environ["AWS_ENDPOINT_URL"]
        yield Place(
            f"{os.environ['REPRO_TEST_S3']}/{work.name}-{os.getpid()}",
            {"AWS_ENDPOINT_URL": endpoint},
            int(endpoint.rpartition(":")[2]),
        )
    else:
        yield Place(str(work / "there"), {})


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def ssh_server(home: Path) -> Iterator[int]:
    """Start a real SSH server on loopback and yield its port; `home` gets a key that it takes.

    Raises FileNotFoundError without sshd, RuntimeError where it does not start.
    """
    if SSHD is None:
        raise FileNotFoundError("no sshd here (Debian's openssh-server)")
    if os.getuid() == 0 and not Path("/run/sshd").is_dir():
        Path("/run/sshd").mkdir()
    port = free_port()
    (home / ".ssh").mkdir(mode=0o700, parents=True)
    for file in (home / "host", home / ".ssh/id_ed25519"):
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", str(file)], check=True)
    (home / "sshd_config").write_text(CONFIG.format(port=port, folder=home))
    kind, key, *_ = (home / "host.pub").read_text().split()
    (home / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    said = home / "sshd.log"
    command = [SSHD, "-D", "-E", str(said), "-f", str(home / "sshd_config")]
    with subprocess.Popen(command) as server:
        try:
            _wait(port, said)
            yield port
        finally:
            server.terminate()


def _wait(port: int, said: Path) -> None:
    """Wait until somebody listens. Raises RuntimeError with what a server said instead."""
    for _ in range(100):
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"sshd does not start here: {said.read_text()[-200:]}")


class Way:
    """A way to a port of loopback, on which one byte of all that passes is harmed."""

    def __init__(self, port: int, harm: str = "none", up: bool = True, at: int = 0) -> None:
        """`harm`: none, flip (one bit) or cut (everything ends there); `at`: after so many bytes
        in that direction, over all connections.
        """
        self.to, self.harm, self.up, self.at = port, harm, up, at
        self.passed = {True: 0, False: 0}
        self.done = False
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
                for one, other, up in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=(one, other, up), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, up: bool) -> None:
        """Pass on what comes, in one direction."""
        with suppress(OSError):
            while data := one.recv(_AT_ONCE):
                with self._lock:
                    data, ends = self._harmed(data, up)
                other.sendall(data)
                if ends:
                    break
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _harmed(self, data: bytes, up: bool) -> tuple[bytes, bool]:
        """Return what is passed on, and whether it ends there."""
        before = self.passed[up]
        self.passed[up] += len(data)
        if self.harm == "none" or self.done or up != self.up or self.passed[up] <= self.at:
            return data, False
        self.done, here = True, max(self.at - before, 0)
        if self.harm == "cut":
            return data[:here], True
        bit = 1 << random.Random(self.at).randrange(8)
        return data[:here] + bytes([data[here] ^ bit]) + data[here + 1 :], False
