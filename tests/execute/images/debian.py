"""A small Debian archive on loopback: .deb files made on the spot, indexes, a signature, and what
it no longer has.
"""

import hashlib
import io
import lzma
import subprocess
import tarfile
from pathlib import Path

from repro.execute.images.base_lock import BaseLock, Package

Files = dict[str, str]
MOMENT = "20261129T120000Z"


def deb(files: Files, links: Files | None = None) -> bytes:
    """A .deb file with these files and symbolic links, packed as dpkg-deb packs it."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:xz") as archive:
        for folder in sorted({f"{name.rsplit('/', 1)[0]}/" for name in files if "/" in name}):
            item = tarfile.TarInfo(f"./{folder}")
            item.type, item.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(item)
        for name, text in files.items():
            item = tarfile.TarInfo(f"./{name}")
            item.size, item.mode, item.mtime = len(text), 0o644, 1_600_000_000
            archive.addfile(item, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            item = tarfile.TarInfo(f"./{name}")
            item.type, item.linkname = tarfile.SYMTYPE, target
            archive.addfile(item)
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": sink.getvalue()}
    return b"!<arch>\n" + b"".join(_member(name, content) for name, content in members.items())


def _member(name: str, content: bytes) -> bytes:
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}".encode() + b"`\n"
    return head + content + b"\n" * (len(content) % 2)


def path_of(name: str, version: str) -> str:
    """Where the archive keeps a package."""
    return f"pool/main/{name[0]}/{name}/{name}_{version}_amd64.deb"


def lock_of(packages: dict[tuple[str, str], bytes]) -> BaseLock:
    """A lock of these packages."""
    return BaseLock(
        suite="bookworm",
        moment=MOMENT,
        sha256="0" * 64,
        packages=tuple(
            Package(
                name=name,
                version=version,
                role="worker",
                archive="debian",
                path=path_of(name, version),
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )
            for (name, version), content in packages.items()
        ),
    )


class Archive:
    """What a mirror, its security archive and a snapshot of both serve. Address: /mirror,
    /security, /snapshot.
    """

    def __init__(self, home: Path) -> None:
        self.held: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.home = home
        home.mkdir(mode=0o700)
        self._gpg("--quick-generate-key", "archive@example.org", "ed25519", "sign", "never")
        self.keys = home / "keys.gpg"
        self._gpg("--output", str(self.keys), "--export")

    def _gpg(self, *words: str) -> None:
        command = [
            "gpg",
            "--homedir",
            str(self.home),
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            *words,
        ]
        subprocess.run(command, check=True, capture_output=True)

    def publish(self, root: str, release: str, packages: dict[tuple[str, str], bytes]) -> None:
        """Serve these packages and a signed index of them, in the place of what was there."""
        stanzas = []
        for (name, version), content in packages.items():
            self.held[f"{root}/{path_of(name, version)}"] = content
            stanzas.append(
                f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nFilename: "
                f"{path_of(name, version)}\n"
                f"Size: {len(content)}\nSHA256: "
                f"{hashlib.sha256(content).hexdigest()}\nDescription: small\n"
            )
        index = lzma.compress("\n".join(stanzas).encode())
        top = f"{root}/dists/{release}"
        self.held[f"{top}/main/binary-amd64/Packages.xz"] = index
        text = (
            f"Suite: {release}\nSHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} "
            "main/binary-amd64/Packages.xz\n"
        )
        plain, signed = self.home / "Release", self.home / "InRelease"
        plain.write_text(text)
        signed.unlink(missing_ok=True)
        self._gpg("--output", str(signed), "--clearsign", str(plain))
        self.held[f"{top}/InRelease"] = signed.read_bytes()

    def answer(self, asked: "object") -> tuple[int, dict[str, str], bytes]:
        """What lies at a path, else 404."""
        from urllib.parse import unquote

        path = unquote(asked.path)  # type: ignore[attr-defined]  # loopback.Request, of a module that is no package
        self.asked.append(path)
        return (200, {}, self.held[path]) if path in self.held else (404, {}, b"")
