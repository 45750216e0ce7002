"""Triton's launcher, made beforehand: run inside the CUDA image where a compiler was brought, by
`repro images cuda`.

Triton starts every kernel through one C module, which it compiles when it is first needed. A worker
has no compiler and its scratch runs no programs, so the module is made here and laid where a worker
links it into Triton's cache. The compiler stays behind. `no-device` holds a stand-in for the
driver's library, to link against and to try the launcher on machines without a GPU: every call of
it answers 100, "no CUDA-capable device is detected".
"""

import ctypes
import os
import re
import subprocess
from pathlib import Path

MADE = Path("/opt/triton")
COMPILER = "/usr/bin/gcc-12"
WRAPPER = Path("/run/cc")
"""The compiler without what differs from build to build: Triton compiles in a folder of random name
(its first word is the source there), which messages, symbols and the build's id would tell.
"""
STAND_IN = """
int cuGetErrorString(int code, const char **text) { *text = "no CUDA-capable device is detected"; return 0; }
"""


def main() -> None:
    """Make the stand-in, then have Triton itself make its launcher."""
    library = MADE / "no-device" / "libcuda.so.1"
    library.parent.mkdir(parents=True)
    WRAPPER.write_text(
        f'#!/bin/sh\nexec {COMPILER} -s -Wl,--build-id=none "-ffile-prefix-map=${{1%/*}}=." "$@"\n'
    )
    WRAPPER.chmod(0o755)
    os.environ.update(
        CC=str(WRAPPER),
        TRITON_CACHE_DIR=str(MADE / "cache"),
        TRITON_LIBCUDA_PATH=str(library.parent),
    )
    from triton.backends.nvidia import driver

    calls = set(re.findall(r"\bcu[A-Z]\w+", Path(driver.dirname, "driver.c").read_text())) - {
        "cuGetErrorString"
    }
    source = Path("/run/stand_in.c")
    source.write_text(
        STAND_IN + "\n".join(f"int {call}(void) {{ return 100; }}" for call in sorted(calls)) + "\n"
    )
    subprocess.run(
        [WRAPPER, "-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", library, source], check=True
    )
    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    driver.CudaUtils()
    for path in MADE.rglob("*"):
        path.chmod(0o755 if path.is_dir() or ".so" in path.name else 0o644)


if __name__ == "__main__":
    main()
