"""Turn the profiles of updates into rows of evidence, layer by layer and in the mean
(docs/SCIENCE.md §12).

The updates may come from a model in memory (`repro.diagnose.updates`) or from an adapter's file;
nothing here needs torch. A cut's number is the row's direction. p × q update, r rank.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from repro.diagnose.further import WriteRow, rows_of
from repro.errors import InputError
from repro.evidence.measurement import Measurement
from repro.evidence.part import part_name
from repro.geometry.entropy import (
    middle,
    most,
    product_profile,
    valley_depth,
    volume_law_slope,
)
from repro.geometry.gaussian import gaussian_product_profile
from repro.geometry.undefined import Array, Undefined

MODULES = ("q_proj", "v_proj")
"""The projections that the paper measures."""
MATRIX = "update"


def at_middle(entropy: Array, p: int) -> float:
    """Return the entropy between rows and columns."""
    return float(entropy[middle(p)])


SUMMARIES = (
    ("entanglement_entropy", "entanglement_entropy_beyond_random", at_middle),
    ("valley_depth", "valley_depth_beyond_random", valley_depth),
    ("volume_law_slope", "volume_law_slope_beyond_random", volume_law_slope),
)
"""What a profile comes to: its name, the name of what it has beyond a random one's, and how it is
computed.
"""


class UpdateProfile(NamedTuple):
    """An update's profile, beside random ones and the largest that its shape and rank allow; rows
    p.
    """

    p: int
    entropy: Array
    random: Array
    bound: Array


def profile_rows(
    profiles: Iterable[tuple[str, UpdateProfile | Undefined]], step: int
) -> Iterator[Measurement]:
    """Yield rows of evidence on every layer's update and on their means.

    `profiles`: (module's full name, its profile, or why it has none).
    """
    row = rows_of(step, "", 1)
    by_module: dict[str, list[UpdateProfile]] = {}
    reason = "nothing is trained on q_proj or v_proj"
    for name, measured in profiles:
        module, layer = name.rsplit(".", 1)[-1], _layer(name)
        if isinstance(measured, Undefined):
            reason = measured.reason
            continue
        by_module.setdefault(module, []).append(measured)
        for cut, value in enumerate(measured.entropy):
            where = part_name(matrix=MATRIX, module=module, layer=layer)
            yield row(
                quantity="entanglement_entropy", value=float(value), concept=where, direction=cut
            )
    for module in MODULES:
        yield from _summary(
            row, part_name(matrix=MATRIX, module=module), by_module.get(module, ()), reason
        )
    every = [one for module in MODULES for one in by_module.get(module, ())]
    yield from _summary(row, part_name(matrix=MATRIX), every, reason)


def _summary(
    row: WriteRow, where: str, updates: Sequence[UpdateProfile], reason: str
) -> Iterator[Measurement]:
    """Means over layers; of random updates under the specification `gaussian`."""
    for quantity, beyond, of in SUMMARIES:
        ours = _mean([of(one.entropy, one.p) for one in updates], reason)
        random = _mean([of(one.random, one.p) for one in updates], reason)
        yield row(quantity=quantity, value=ours, concept=where)
        yield row(quantity=quantity, value=random, concept=where, specification="gaussian")
        undefined = next((value for value in (ours, random) if isinstance(value, Undefined)), None)
        yield row(quantity=beyond, value=undefined or ours - random, concept=where)  # type: ignore[operator]  # both are numbers
    bound = _mean([float(one.bound[middle(one.p)]) for one in updates], reason)
    yield row(quantity="maximal_entropy", value=bound, concept=where)


def _mean(values: Sequence[float | Undefined], reason: str) -> float | Undefined:
    known = [value for value in values if not isinstance(value, Undefined)]
    if len(known) < len(values):
        return next(value for value in values if isinstance(value, Undefined))
    return float(np.mean(known)) if known else Undefined(reason)


def of_product(B: Array, A: Array) -> UpdateProfile | Undefined:
    """Return the profile of B·A (B p × r, A r × q); undefined where the product has none."""
    p, r, q = *B.shape, A.shape[1]
    if not B.any() or not A.any():
        return Undefined("the update is zero, as before training")
    try:
        return UpdateProfile(
            p, product_profile(B, A), gaussian_product_profile(p, q, r), most(p, q, r)
        )
    except InputError as error:
        return Undefined(str(error))


def _layer(name: str) -> int:
    """Number of the block a module lies in."""
    return next(int(part) for part in name.split(".") if part.isdigit())
