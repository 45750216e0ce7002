"""Measure what a card or one core does in a second, as `repro.cost.profiles` counts it.

Products are those of square matrices, moved bytes those of dropout's own arithmetic, and the time
to start a block is the slope of a pass over models of two depths, too narrow for anything else to
count. On a core processor time counts, so that other work hardly shows.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import torch

from repro.manifest.model import Architecture, Model, RandomWeights
from repro.manifest.training import Training
from repro.train.adapters.place import adapt
from repro.train.fused import dropped, kept
from repro.train.loop import accumulate
from repro.train.model import DTYPES, load_base
from repro.train.structure import bare

_WIDTHS = {"cuda": 8192, "cpu": 1024}
"""Of the matrices that are multiplied."""
_DROPOUT_BYTES = 30
"""Bytes that dropout reads and writes for an entry in bfloat16: 21 to draw, 9 to apply."""
_DEPTHS = (2, 10)
_REAL = 2.0
"""Factor by which a real model's block takes longer to start than a narrow one's: 7.5 against
3.4 ms on the one core where both are known (docs/results/hours.md).
"""


def speeds(device: str, seconds: float) -> dict[str, object]:
    """Return the speeds of the first card, or of one core, named as a profile's fields.

    `seconds`: how long each measurement is repeated. Deterministic algorithms are those of runs.
    """
    width, where = _WIDTHS[device], torch.device(device)
    products = {}
    for name, dtype in DTYPES.items():
        a = torch.ones(width, width, dtype=dtype, device=where)
        products[name] = 2 * width**3 / _took(where, seconds, partial(torch.matmul, a, a))
    x = torch.ones(4096, width, dtype=torch.bfloat16, device=where)
    dropping = _took(where, seconds, lambda: dropped(x, kept(x, 0.05)))
    few, many = (_took(where, seconds, _pass(layers)) for layers in _DEPTHS)
    return {
        "products": products,
        "moved": _DROPOUT_BYTES * x.numel() / dropping,
        "block": _REAL * (many - few) / (_DEPTHS[1] - _DEPTHS[0]) / 2,
    }


def _took(where: torch.device, seconds: float, work: Callable[[], object]) -> float:
    """Return the median seconds of one call, after a first one: one held up does not count."""
    clock = perf_counter if where.type == "cuda" else process_time
    work()
    _finish(where)
    ticks = [clock()]
    while ticks[-1] - ticks[0] < seconds:
        work()
        _finish(where)
        ticks.append(clock())
    return median(after - before for before, after in pairwise(ticks))


def _finish(where: torch.device) -> None:
    """Wait for the card."""
    if where.type == "cuda":
        torch.cuda.synchronize()


def _pass(layers: int) -> Callable[[], object]:
    """Return what takes a pass forward and backward through a narrow model of so many blocks."""
    shape = Architecture(
        family="qwen2", hidden=64, layers=layers, heads=4, kv_heads=2, intermediate=128, vocabulary=256
    )  # fmt: skip
    model = Model(id="narrow", title="", weights=RandomWeights(), architecture=shape)
    training = Training(gradient_checkpointing=False)
    with tempfile.TemporaryDirectory() as folder:
        bare(model).save_pretrained(folder)
        adapted = adapt(load_base(Path(folder), training), training, 0)
    return lambda: accumulate(adapted, [[*range(8)]], training)
