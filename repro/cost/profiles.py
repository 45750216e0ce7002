"""What a card, or a processor's core, does in a second: the speeds that hours are counted with.

`repro doctor --measure` takes those of the machine at hand and keeps them in the cache. The H100's
come from whole training steps (tests/cost/test_hours.py); cards that nobody measured have its
shares of what their makers state.
"""

from pathlib import Path
from time import process_time

import numpy as np
from pydantic import Field

from repro.cache import profile_file
from repro.frozen import Frozen
from repro.manifest.training import Precision

CORE = "core"


class Speeds(Frozen):
    """One card or one core."""

    name: str
    products: dict[Precision, float]
    """Operations per second of matrix products, by their precision."""
    moved: float = Field(gt=0)
    """Bytes per second that work on each entry (casts, dropout, dequantising) reads and writes."""
    block: float = Field(gt=0)
    """Seconds to start the operations of a block in one direction, however few tokens there are."""
    gibibytes: float | None = None
    """Memory of the card; None for a core."""
    measured: str | None = None
    """When the speeds were measured; None where nobody has."""
    spread: float = Field(1.5, ge=1)
    """Factor by which a run may differ from the estimate, either way."""


H100 = Speeds(
    name="H100-80", products={"bfloat16": 734e12, "float32": 50e12}, moved=2.64e12, block=7.7e-3,
    gibibytes=80, measured="2026-11-28", spread=1.15,
)  # fmt: skip
_STATED = {  # TFLOP/s in bfloat16 and float32, TB/s, GiB
    "H200-141": (989, 67, 4.8, 141),
    "A100-80": (312, 19.5, 2.04, 80),
    "4090-24": (165, 82.6, 1.01, 24),
}
PROFILES = {"h100-80": H100} | {
    name.lower(): Speeds(
        name=name,
        products={"bfloat16": 734e12 * bfloat16 / 989, "float32": 50e12 * float32 / 67},
        moved=2.64e12 * moved / 3.35,
        block=H100.block,
        gibibytes=gibibytes,
    )
    for name, (bfloat16, float32, moved, gibibytes) in _STATED.items()
}


def card(name: str, cache: Path) -> Speeds:
    """Return the profile of a card by the name that its driver gives it: measured here, else known.

    The A100's stands in for a card that nobody knows, and a factor of five is left either way.
    """
    known = next((key for key in PROFILES if key.split("-")[0] in name.lower()), None)
    other = PROFILES[known] if known else PROFILES["a100-80"].model_copy(update={"spread": 5.0})
    return _kept(cache, name) or other.model_copy(update={"name": name})


def core(cache: Path) -> Speeds:
    """Return the profile of one of this machine's cores: measured, else told by its products."""
    return _kept(cache, CORE) or told_by(multiplications())


def _kept(cache: Path, name: str) -> Speeds | None:
    """Return what was measured of a card or core; None where no file of it can be read."""
    try:
        return Speeds.model_validate_json(profile_file(cache, name).read_bytes())
    except (OSError, ValueError):
        return None


def told_by(operations: float) -> Speeds:
    """Return a core's profile from its float32 operations per second.

    All else is that of the kind of machine it was fitted on (AVX-512 with bfloat16).
    """
    products: dict[Precision, float] = {"bfloat16": 2.15 * operations, "float32": operations}
    return Speeds(name=CORE, products=products, moved=10.8e9, block=7.5e-3)


def multiplications() -> float:
    """Return the float32 operations per second of one core.

    It measures CPU time, so other work on the machine hardly shows.
    """
    a = np.ones((1024, 1024), dtype=np.float32)
    a @ a  # The first product initialises the library.
    begin, products = process_time(), 0
    while process_time() - begin < 0.1:
        a @ a
        products += 1
    return 2 * len(a) ** 3 * products / (process_time() - begin)
