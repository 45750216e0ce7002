"""Labels of a probe set as a one-hot design: one block of columns per concept (docs/SCIENCE.md,
notation).

N probes, K concepts, C = Σ m_j classes, m_j the classes present of concept j, in sorted order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from repro.errors import InputError
from repro.geometry.undefined import Array, Integers


@dataclass(frozen=True, eq=False)
class Labels:
    """Which class of each concept every probe belongs to."""

    concepts: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]
    """Class names of each concept, sorted."""
    codes: Integers
    """N × K: index of the probe's class inside its concept."""

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[str]]) -> "Labels":
        """Build labels from one column of class names per concept.

        Raises `InputError` when the columns cannot make a design: none, unequal lengths, one class.
        """
        if not columns:
            raise InputError(
                "labels: no concept given; expected at least one column of class names."
            )
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(
                f"labels: columns differ in length {lengths}; give every concept one label per "
                "probe."
            )
        classes, codes = [], []
        for name, column in columns.items():
            names, index = np.unique(
                np.asarray([str(label) for label in column], dtype=str), return_inverse=True
            )
            if len(names) < 2:
                found = f"one class ({str(names[0])!r})" if len(names) else "no label"
                raise InputError(
                    f"labels: concept {name!r} has {found}; a concept needs two classes or more."
                )
            classes.append(tuple(str(n) for n in names))
            codes.append(index.astype(np.int64))
        return cls(tuple(columns), tuple(classes), np.stack(codes, axis=1))

    @property
    def n(self) -> int:
        """Count the probes."""
        return len(self.codes)

    @cached_property
    def cardinalities(self) -> tuple[int, ...]:
        """Return m_j, the number of classes, of every concept."""
        return tuple(len(names) for names in self.classes)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Return the columns of `onehot` that belong to each concept."""
        ends = np.cumsum(self.cardinalities)
        return tuple(
            slice(int(end) - m, int(end)) for end, m in zip(ends, self.cardinalities, strict=True)
        )

    @cached_property
    def onehot(self) -> Array:
        """Return Y (N × C), one-hot."""
        return onehot(self.codes, self.cardinalities)

    @property
    def nominal_rank(self) -> int:
        """Return R = Σ (m_j − 1), the most directions a centred readout of this design can have."""
        return sum(m - 1 for m in self.cardinalities)

    @property
    def largest_dimension(self) -> int:
        """Return d_max = max (m_j − 1), of the theory's bound (§5)."""
        return max(self.cardinalities) - 1

    @cached_property
    def chance(self) -> Array:
        """Return the share of each concept's largest class (K): the best of a constant answer."""
        counts = self.onehot.sum(axis=0)
        return np.array([counts[block].max() / self.n for block in self.blocks])

    @property
    def stratum(self) -> int:
        """Return the index of the stratum concept: `domain`, else the first.

        Resampling and permutation stay within its classes.
        """
        return self.concepts.index("domain") if "domain" in self.concepts else 0


def onehot(codes: Integers, cardinalities: tuple[int, ...]) -> Array:
    """Return Y (…, N, C) from class indices (…, N, K)."""
    return np.concatenate([np.eye(m)[codes[..., j]] for j, m in enumerate(cardinalities)], axis=-1)
