"""Make docker/{cpu,cuda}.lock: the part of requirements/{cpu,cuda}.lock that a worker needs to
carry out a run, one wheel a package.

    make lock        (ci/lock.sh calls .venv/bin/python docker/lock.py PYLOCK.toml)

Same pins, fewer packages: a container gets its texts and models from the cache, so what only
fetching or the host needs is left out. With it goes everything published as source alone, which
would need a compiler.

Of a package's wheels one is named, by its hash. PYLOCK.toml tells the file names behind the hashes,
as uv found them on the index. The rule, in which an index's order has no part: of the wheels whose
hash is in requirements/*.lock and that run in the image, the one that docker/*.lock names already,
so that a wheel added to a release changes no image; else the one with the nearest tag (Python 3.11,
newest glibc first); of several, the highest build number, then the first file name and hash. To
have a package chosen anew, take its entry out of docker/*.lock first.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path

from packaging.pylock import PackageWheel, Pylock
from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags, create_compatible_tags_selector
from packaging.utils import parse_wheel_filename

from repro.execute.images.wheels import ABIS, PLATFORMS, WHEEL_PYTHON
from repro.plan.packages import plain_name

NEEDED = (
    "accelerate", "bitsandbytes", "numpy", "peft", "pyarrow", "pydantic", "pyyaml", "safetensors", "scipy",
    "tokenizers", "torch", "transformers",
)  # fmt: skip
HERE = Path(__file__).resolve().parent
TAGS = [
    *cpython_tags(WHEEL_PYTHON, ABIS[:1], PLATFORMS),
    *compatible_tags(WHEEL_PYTHON, ABIS[0], PLATFORMS),
]
FITTING = create_compatible_tags_selector(TAGS)
VERSION = f"{WHEEL_PYTHON[0]}.{WHEEL_PYTHON[1]}"
IMAGE = {
    "extra": "",
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{VERSION}.2",
    "python_version": VERSION,
    "sys_platform": "linux",
}
"""What markers are evaluated for: the image, whatever machine makes its lock."""
Entry = tuple[str, list[str]]
"""A pin without its marker, and its hashes in the order of the file."""


def closure(names: Sequence[str]) -> set[str]:
    """Return `names` and everything they require in the image, normalised."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = plain_name(waiting.pop())
        if name not in found:
            found.add(name)
            wanted = (Requirement(line) for line in requires(name) or ())
            waiting += [item.name for item in wanted if in_image(item)]
    return found


def in_image(wanted: Requirement) -> bool:
    """Return whether a requirement's marker holds in the image, or it has none."""
    return wanted.marker is None or wanted.marker.evaluate(IMAGE)


def entries(lock: str) -> dict[str, Entry]:
    """Return the entries of a lock file that hold in the image, by package."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    pairs = [(Requirement(block.split(" \\\n")[0]), block) for block in blocks]
    return {
        plain_name(pin.name): (f"{pin.name}{pin.specifier}", re.findall(r"--hash=(\S+)", block))
        for pin, block in pairs
        if in_image(pin)
    }


def nearest(wheels: Sequence[PackageWheel]) -> PackageWheel | None:
    """Return the wheel that the image takes; None where none of them runs there."""
    named = sorted(wheels, key=lambda wheel: (wheel.filename, wheel.hashes["sha256"]))
    named.sort(key=lambda wheel: parse_wheel_filename(wheel.filename)[2], reverse=True)
    return next(FITTING((one, parse_wheel_filename(one.filename)[-1]) for one in named), None)


def with_one_hash(entry: Entry, wheels: Sequence[PackageWheel], named: Sequence[str] = ()) -> str:
    """Return an entry of docker/*.lock; `named`: the hashes that the file has for the package.

    Ends the program where no wheel of the pin fits.
    """
    pin, hashes = entry
    if (
        "+cpu" in pin
    ):  # no index lists PyTorch's CPU builds; ci/torch_cpu.lock has the image's first
        return f"{pin} \\\n    --hash={hashes[0]}"
    locked = [one for one in wheels if f"sha256:{one.hashes.get('sha256')}" in hashes]
    kept = [one for one in locked if [f"sha256:{one.hashes['sha256']}"] == list(named)]
    wheel = nearest(kept) or nearest(locked)
    if wheel is None:
        sys.exit(
            f"docker/lock.py: {pin}: {len(hashes)} wheels are locked, and none of those the index "
            f"lists runs in the image (Python {VERSION}, {PLATFORMS[0]}); pin another version"
        )
    return f"{pin} \\\n    --hash=sha256:{wheel.hashes['sha256']}"


def main(pylock: str) -> None:
    """Write both files. What the CUDA build of torch adds is in neither closure, so packages are
    left out by name.
    """
    listed = Pylock.from_dict(tomllib.loads(Path(pylock).read_text()))
    wheels: dict[str, list[PackageWheel]] = {}
    for package in listed.packages:
        wheels.setdefault(plain_name(package.name), []).extend(package.wheels or ())
    locks = {
        name: entries((HERE.parent / "requirements" / f"{name}.lock").read_text())
        for name in ("cpu", "cuda")
    }
    left_out = set(locks["cpu"]) - closure(NEEDED)
    for name, kept in locks.items():
        before = entries((HERE / f"{name}.lock").read_text())
        lines = [
            with_one_hash(entry, wheels.get(package, []), before.get(package, ("", []))[1])
            for package, entry in kept.items()
            if package not in left_out
        ]
        (HERE / f"{name}.lock").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
