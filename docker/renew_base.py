"""Make docker/base.lock again: the packages named here, as Debian's mirror has them now.

    .venv/bin/python docker/renew_base.py

Afterwards the images have other contents: `repro images cpu --relock`, `repro images cuda
--relock`, and commit all three.
"""

import tempfile
from pathlib import Path

from repro.execute.images.archive import current
from repro.execute.images.base_lock import LOCK, BaseLock, Package, Role, write_base
from repro.execute.images.build import scratch
from repro.execute.images.debs import bring_debs
from repro.execute.images.rootfs import write_tar

SUITE = "bookworm"
NAMES: dict[Role, str] = {
    # Python with the modules a worker imports, a shell for the command that starts it, C and C++
    # libraries.
    "worker": "base-files dash gcc-12-base libbz2-1.0 libc-bin libc6 libcrypt1 libexpat1 libffi8 "
    "libgcc-s1 liblzma5 "
    "libpython3.11-minimal libpython3.11-stdlib libsqlite3-0 libssl3 libstdc++6 libuuid1 "
    "media-types python3-pip-whl "
    "python3-setuptools-whl python3.11-minimal python3.11-venv zlib1g",
    # What compiles one C file against Python's headers.
    "compiler": "binutils binutils-common binutils-x86-64-linux-gnu cpp-12 gcc-12 libbinutils libc6-dev "
    "libcrypt-dev "
    "libctf-nobfd0 libctf0 libgcc-12-dev libgmp10 libisl23 libjansson4 libmpc3 libmpfr6 "
    "libpython3.11-dev libzstd1 "
    "linux-libc-dev",
}


def named(name: str, role: Role) -> Package:
    """Return a package of which only the name is known yet."""
    return Package(
        name=name,
        version="",
        role=role,
        archive="debian",
        path="pool/none.deb",
        size=1,
        sha256="0" * 64,
    )


def main() -> None:
    """Ask the mirror, bring the packages, make the tar once for its digest, write the lock."""
    packages = tuple(named(name, role) for role, names in NAMES.items() for name in names.split())
    lock = current(
        BaseLock(suite=SUITE, moment="00000000T000000Z", sha256="0" * 64, packages=packages)
    )
    debs = bring_debs(lock.of_role("worker"), lock, scratch() / "debs", None, "try again")
    with tempfile.TemporaryDirectory() as folder:
        sha256 = write_tar(debs, Path(folder) / "base.tar")
    write_base(lock.model_copy(update={"sha256": sha256}))
    print(f"{LOCK}: {len(lock.packages)} packages of {lock.moment}, base {sha256}")


if __name__ == "__main__":
    main()
