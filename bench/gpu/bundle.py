"""Pack what `make gpu` needs on a machine without a network: `python -m bench.gpu.bundle`.

Writes build/gpu.tar.xz, of at most 64 MiB: the tracked sources, the installed packages that a
machine with PyTorch's CUDA build is likely to lack (site/, for this version of Python), and the
smoke manifest's models and texts (cache/). There: unpack it into an empty folder, and `make gpu`.
"""

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

from repro.cache import READ_BY_WORKERS
from repro.errors import SetupError
from repro.execute.folders import cache_folder
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.packages import plain_name
from repro.plan.texts import texts_file

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "gpu.tar.xz"
MOST = 64 * 2**20
THERE = frozenset(
    ("torch", "triton", "numpy", "scipy", "pyarrow", "setuptools", "sympy", "networkx", "mpmath", "hf-xet",
     "vl-convert-python", "docker", "submitit", "datasets")
)  # fmt: skip
"""Packages that such a machine has, or that nothing measured here uses."""
NEEDED = ("bitsandbytes", "duckdb", "gguf", "jinja2", "markdown-it-py", "peft", "psutil", "pydantic", "pylatexenc",
          "pyyaml", "rich", "accelerate", "safetensors", "statsmodels", "tokenizers", "transformers")  # fmt: skip
CUDA = ("cpu", "cuda130", "cuda132")
"""The builds of bitsandbytes' library that are packed: the driver's CUDA is 13."""


def main() -> int:
    """Write the bundle, and say how large it is. Return 2 where it would be too large."""
    try:
        files = {**dict(sources()), **dict(packages()), **dict(cached())}
        OUTPUT.parent.mkdir(exist_ok=True)
        with tarfile.open(OUTPUT, "w:xz") as bundle:
            for name, path in sorted(files.items()):
                bundle.add(path, name, recursive=False)
        size = OUTPUT.stat().st_size
        if size > MOST:
            OUTPUT.unlink()
            raise SetupError(
                f"the bundle would have {size:,} bytes, and {MOST:,} may travel; leave packages out (THERE)"
            )
    except SetupError as error:
        print(f"gpu: {error}", file=sys.stderr)
        return 2
    print(f"{OUTPUT}: {len(files)} files, {size / 2**20:.0f} MiB")
    return 0


def sources() -> Iterator[tuple[str, Path]]:
    """Yield the tracked files by their names in the bundle."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            yield name, ROOT / name


def packages() -> Iterator[tuple[str, Path]]:
    """Yield the files of the packages, and of all that they need."""
    here = {plain_name(item.metadata["Name"]): item for item in distributions()}
    waiting, seen = [*NEEDED], set(THERE)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in here:
            continue
        seen.add(name)
        waiting += _needs(here[name])
        for file in here[name].files or ():
            path = Path(str(file.locate()))
            if path.is_file() and ".." not in file.parts and _useful(file.parts):
                yield f"site/{file}", path


def _needs(package: Distribution) -> Iterator[str]:
    """Yield the packages that one needs on this machine, without extras."""
    for line in package.requires or ():
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield plain_name(wanted.name)


def _useful(parts: tuple[str, ...]) -> bool:
    """Return whether a package's file is used: no test, bytecode or library of other builds."""
    if {"__pycache__", "tests", "test"} & {*parts}:
        return False
    library = parts[-1].removeprefix("libbitsandbytes_")
    return library == parts[-1] or library.split(".")[0] in CUDA


def cached() -> Iterator[tuple[str, Path]]:
    """Yield the smoke manifest's models and texts. Raises SetupError where they are not fetched."""
    cache, models, texts = cache_folder(), READ_BY_WORKERS[0], READ_BY_WORKERS[1]
    for run in expand(load_experiment("smoke"), local_environment()):
        folder = cache / models / run.model.folder
        found = [path for path in folder.glob("*") if path.is_file()]
        sets = [
            texts_file(cache, one, run.environment.texts)
            for many in run.domains.values()
            for one in many
        ]
        if not found or not all(path.is_file() for path in sets):
            raise SetupError(
                "the smoke manifest's models and texts are not here; bring them: repro fetch smoke"
            )
        yield from ((f"cache/{models}/{folder.name}/{path.name}", path) for path in found)
        yield from (
            (f"cache/{texts}/{path.name}", path)
            for one in sets
            for path in (one, one.with_suffix(".sha256"))
        )


if __name__ == "__main__":
    sys.exit(main())
