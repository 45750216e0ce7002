"""Activations with planted concepts, and files that `repro measure` reads."""

import csv

import numpy as np
import pytest

LABELS = {
    "domain": ["code", "math", "medical"],
    "register": ["formal", "informal", "technical", "conversational"],
    "shape": ["hierarchical", "causal", "constraint", "evidence"],
}


@pytest.fixture(scope="session")
def planted():
    """A maker of (activations, label columns)."""

    def make(seed, strengths=(1.5, 0.9, 0.6), d=40):
        """Activations (48 × d) of a full factorial design with concepts of given strength, and
        their label columns.
        """
        rng = np.random.default_rng(seed)
        codes = np.array(np.meshgrid(range(3), range(4), range(4), indexing="ij")).reshape(3, -1).T
        X = rng.normal(size=(48, d))
        for j, strength in enumerate(strengths):
            X += strength * rng.normal(size=(4, d))[codes[:, j]]
        return X, {
            name: [names[c] for c in codes[:, j]] for j, (name, names) in enumerate(LABELS.items())
        }

    return make


@pytest.fixture
def files(tmp_path):
    """A writer of an npz and a csv file: the arguments of `repro measure`."""

    def write(X, columns, key="activations"):
        np.savez(tmp_path / "x.npz", **{key: X})
        with (tmp_path / "l.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(columns)
            rows.writerows(zip(*columns.values(), strict=True))
        return [
            "measure",
            "--activations",
            str(tmp_path / "x.npz"),
            "--labels",
            str(tmp_path / "l.csv"),
        ]

    return write
