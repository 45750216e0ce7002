"""Make docker/{cpu,cuda}.lock: the part of requirements/{cpu,cuda}.lock that a worker needs to carry out a run.

    .venv/bin/python docker/lock.py

Same pins, same hashes, fewer packages: a container gets its texts and models from the cache, so what only fetching
or the host needs is left out. With it goes everything published as source alone, which would need a compiler.
"""

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

NEEDED = (
    "accelerate", "bitsandbytes", "numpy", "peft", "pyarrow", "pydantic", "pyyaml", "safetensors", "scipy",
    "tokenizers", "torch", "transformers",
)  # fmt: skip
HERE = Path(__file__).resolve().parent


def closure(names: tuple[str, ...]) -> set[str]:
    """`names` and everything they require on this platform, normalised."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = normal(waiting.pop())
        if name not in found:
            found.add(name)
            wanted = (Requirement(line) for line in requires(name) or ())
            waiting += [item.name for item in wanted if item.marker is None or item.marker.evaluate({"extra": ""})]
    return found


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(lock: Path) -> dict[str, str]:
    """A lock file's entries for the image's platform, pin and hashes together, by package."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text().strip())
    linux = (block for block in blocks if " ; sys_platform == 'darwin'" not in block.splitlines()[0])
    return {normal(re.split(r"[=\s\[]", block, maxsplit=1)[0]): for_image(block) for block in linux}


def for_image(block: str) -> str:
    """An entry without its marker; of PyTorch's CPU builds the one for the image (ci/torch_cpu.lock has it first)."""
    block = block.replace(" ; sys_platform == 'linux'", "", 1)
    return " \\\n".join(block.split(" \\\n")[:2]) if "+cpu" in block.splitlines()[0] else block


def main() -> None:
    """Write both files. What the CUDA build of torch adds is in neither closure, so packages are left out by name."""
    left_out = set(entries(HERE.parent / "requirements" / "cpu.lock")) - closure(NEEDED)
    for name in ("cpu", "cuda"):
        kept = entries(HERE.parent / "requirements" / f"{name}.lock")
        lines = [block for package, block in kept.items() if package not in left_out]
        (HERE / f"{name}.lock").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
