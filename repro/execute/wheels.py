"""The wheels of an image's lock file, downloaded once by the host: the build itself has no network."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from repro.errors import SetupError
from repro.files import file_digest
from repro.plan.image_lock import Name

KEPT = ("index-url", "cert", "client-cert", "proxy", "trusted-host", "timeout", "default-timeout", "retries")
"""Settings of pip that say how an index is reached, and not which files are preferred to its own."""
PLATFORMS = ("manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64", "linux_x86_64")
GLIBC = range(5, 37)  # the base has 2.36
FOR_IMAGE = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]


def bring_wheels(name: Name, requirements: Path, scratch: Path) -> Path:
    """Return the folder of a lock file's wheels, downloaded where it is not there yet. Raises SetupError."""
    wheels = scratch / f"wheels-{file_digest(requirements)[:12]}"
    if wheels.exists():
        return wheels
    partial = wheels.with_suffix(".partial")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-cache-dir", "--require-hashes", *FOR_IMAGE]
    command += [f"--platform=manylinux_2_{minor}_x86_64" for minor in GLIBC]
    command += [f"--platform={platform}" for platform in PLATFORMS]
    command += [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
    command += ["--no-deps", "--requirement", str(requirements), "--dest", str(partial)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment(name))
    if done.returncode:
        lines = [line for line in done.stderr.strip().splitlines() if not line.startswith("[notice]")] or ["no output"]
        raise SetupError(
            f"the wheels of {requirements.name}: could not be downloaded ({lines[-1].removeprefix('ERROR: ')}); see "
            "that pip reaches an index that has them (docker/README.md)"
        )
    partial.rename(wheels)
    return wheels


def _environment(name: Name) -> dict[str, str]:
    """pip's surroundings. For CUDA without folders, constraints and further indexes: they may prefer a CPU build."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    return dict(os.environ) if name == "cpu" else {**plain, **_reaching(), "PIP_CONFIG_FILE": os.devnull}


def _reaching() -> dict[str, str]:
    """Return how this machine's pip reaches its index, as variables."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    settings = {key.rsplit(".", 1)[-1]: value for key, _, value in pairs}
    return {f"PIP_{key.upper().replace('-', '_')}": ast.literal_eval(settings[key]) for key in KEPT if key in settings}
