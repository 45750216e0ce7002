"""Download the wheels of an image's lock file on the host: the build itself has no network."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from repro.errors import SetupError
from repro.files import file_digest
from repro.plan.image_lock import ImageName
from repro.plan.packages import plain_name

KEPT = (
    "index-url",
    "cert",
    "client-cert",
    "proxy",
    "trusted-host",
    "timeout",
    "default-timeout",
    "retries",
)
"""Settings of pip about reaching an index, without those that prefer other files to it."""
WHEEL_PYTHON = (3, 11)
GLIBC = 36
"""The base has glibc 2.36."""
OLDER_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
PLATFORMS = [
    f"{name}_x86_64"
    for minor in range(GLIBC, 4, -1)
    for name in (f"manylinux_2_{minor}", *filter(None, (OLDER_NAMES.get(minor),)))
] + ["linux_x86_64"]
"""Platforms of wheels that run in an image, the nearest first, as an installer there has them."""
ABIS = (f"cp{WHEEL_PYTHON[0]}{WHEEL_PYTHON[1]}", "abi3", "none")
FOR_IMAGE = ["--only-binary=:all:", f"--python-version={WHEEL_PYTHON[0]}.{WHEEL_PYTHON[1]}"]
FOR_IMAGE += ["--implementation=cp", *(f"--abi={abi}" for abi in ABIS)]
FOR_IMAGE += [f"--platform={platform}" for platform in PLATFORMS]
SHOWN = 6  # packages named in one line


def require_one_wheel_each(requirements: Path) -> None:
    """Refuse a lock file that leaves a choice between wheels of a package, or names none.

    Which of two pip takes depends on the order in which an index lists them. Raises SetupError.
    """
    hashes: Counter[str] = Counter()
    name = ""
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():
            name = plain_name(re.split(r"[=\s\[]", line, maxsplit=1)[0])
        hashes[name] += line.count("--hash=")
    wrong = [f"{count} of {name}" for name, count in hashes.items() if name and count != 1]
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise SetupError(
            f"{requirements}: found hashes: {', '.join(wrong[:SHOWN])}{more}; expected one of each "
            "package, or an index's order chooses the wheel; make the lock again: make lock"
        )


def bring_wheels(name: ImageName, requirements: Path, scratch: Path) -> Path:
    """Return the folder of a lock file's wheels, downloaded if missing. Raises SetupError."""
    wheels = scratch / f"wheels-{file_digest(requirements)[:12]}"
    if wheels.exists():
        return wheels
    partial = wheels.with_suffix(".partial")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-cache-dir",
        "--require-hashes",
        *FOR_IMAGE,
    ]
    command += ["--no-deps", "--requirement", str(requirements), "--dest", str(partial)]
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env=_environment(name),
    )
    if done.returncode:
        lines = [
            line for line in done.stderr.strip().splitlines() if not line.startswith("[notice]")
        ] or ["no output"]
        raise SetupError(
            f"the wheels of {requirements.name}: could not be downloaded "
            f"({lines[-1].removeprefix('ERROR: ')}); see "
            "that pip reaches an index that has them (docker/README.md)"
        )
    partial.rename(wheels)
    return wheels


def _environment(name: ImageName) -> dict[str, str]:
    """Return pip's environment.

    For CUDA it has no folders, constraints or further indexes: these may prefer a CPU build.
    """
    plain = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    return (
        dict(os.environ)
        if name == "cpu"
        else {**plain, **_reaching(), "PIP_CONFIG_FILE": os.devnull}
    )


def _reaching() -> dict[str, str]:
    """Return the settings by which this machine's pip reaches its index, as variables."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    settings = {key.rsplit(".", 1)[-1]: value for key, _, value in pairs}
    return {
        f"PIP_{key.upper().replace('-', '_')}": ast.literal_eval(settings[key])
        for key in KEPT
        if key in settings
    }
