"""The worker's packages into /opt/venv: run inside the base, as root, without network, by `repro
images`.

Everything it may install lies in the folder of this file, which is mounted read-only. Modules are
compiled here, since a worker's file system is read-only, and marked by their source's digest: times
would differ from build to build.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
VENV = Path("/opt/venv")
PYTHON = str(VENV / "bin" / "python")
SOURCES = (str(VENV / "lib"), "/usr/lib/python3.11")
INSTALL = [
    "install",
    "--quiet",
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--no-compile",
    "--no-index",
]


def main() -> None:
    """Install by hash, drop pip, compile, and try the imports a run begins with."""
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    given = [
        "--find-links",
        str(HERE / "wheelhouse"),
        "--require-hashes",
        "--requirement",
        str(HERE / "requirements.lock"),
    ]
    subprocess.run([PYTHON, "-m", "pip", *INSTALL, *given], check=True)
    subprocess.run(
        [PYTHON, "-m", "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools"], check=True
    )
    for folder in [path for root in SOURCES for path in Path(root).rglob("__pycache__")]:
        shutil.rmtree(folder)
    compiler = [
        PYTHON,
        "-m",
        "compileall",
        "-f",
        "-q",
        "-j",
        "0",
        "--invalidation-mode",
        "checked-hash",
    ]
    quiet = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    # Packages carry files for other Pythons and templates that do not compile; nobody imports
    # those.
    subprocess.run([*compiler, *SOURCES], check=False, env=quiet, stdout=subprocess.DEVNULL)
    os.makedirs("/var/cache/ldconfig", exist_ok=True)
    subprocess.run(["/sbin/ldconfig"], check=True)
    shutil.rmtree("/var/cache/ldconfig")
    imports = (
        "import torch, transformers, peft, bitsandbytes, pyarrow, scipy.optimize, yaml, pydantic"
    )
    subprocess.run([PYTHON, "-c", imports], check=True, env={**quiet, "HOME": "/run"})


if __name__ == "__main__":
    main()
