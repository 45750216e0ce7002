"""The readable form of entropies: a bar a cut for one profile, a line a layer for several."""

import re

import numpy as np
import pytest

from repro.geometry.entropy import middle, valley_depth, volume_law_slope
from repro.measure.entropy import Profile, of_matrix
from repro.report.terminal.entropy import show_entropy

Said = pytest.CaptureFixture[str]


def profile(name: str, rows: int, columns: int, rank: int | None = None) -> Profile:
    random = np.random.default_rng(rows * columns)
    k = rank or min(rows, columns)
    return of_matrix(random.normal(size=(rows, k)) @ random.normal(size=(k, columns)), name)


def test_every_cut_has_its_bar_and_the_mark_of_random_ones(capsys: Said) -> None:
    found = profile("[red]M", 8, 16)
    show_entropy([found], [])
    out = capsys.readouterr().out
    assert out.startswith("[red]M: 8 × 16, rank 8, 7 sites; entropies in nats\n")
    rows = re.findall(
        r"^ *(site \d|rows \| columns) +([\d.]+) +([\d.]+) +([\d.]+) *(.*)$", out, re.M
    )
    assert [float(row[1]) for row in rows] == [round(float(x), 4) for x in found.entropy]
    assert [float(row[2]) for row in rows] == [round(float(x), 4) for x in found.baseline]
    assert [place for place, row in enumerate(rows) if row[0] == "rows | columns"] == [middle(8)]
    assert all(row[4].count("┃") == 1 for row in rows)
    longest = [
        place for place, row in enumerate(rows) if len(row[4]) == max(len(r[4]) for r in rows)
    ]
    assert middle(8) in longest


@pytest.mark.parametrize(("rank", "words"), [(None, "this shape\n"), (2, "this shape and rank\n")])
def test_random_matrices_of_low_rank_are_said_to_be(
    capsys: Said, rank: int | None, words: str
) -> None:
    found = profile("M", 32, 16, rank)
    show_entropy([found], [])
    out = capsys.readouterr().out
    assert words in out
    depth, slope = valley_depth(found.entropy, 32), volume_law_slope(found.entropy, 32)
    assert f"valley depth: {depth:.4f} nats; of random matrices" in out
    assert f"volume law: {slope:.4f} nats a site; of random matrices" in out


def test_several_layers_are_lines_and_what_has_none_says_why(capsys: Said) -> None:
    """Of a row that is one site there is no slope: undefined, and no number."""
    layers = [profile("q", 8, 16), profile("v", 2, 16)]
    show_entropy(layers, ["k: undefined, the update is zero"])
    out = capsys.readouterr().out
    (first,) = [line for line in out.splitlines() if "8 × 16" in line]
    at = middle(8)
    assert f"{layers[0].entropy[at]:.3f} ({layers[0].baseline[at]:.3f})" in first
    (second,) = [line for line in out.splitlines() if "2 × 16" in line]
    assert "undefined" in second
    assert out.splitlines()[-1] == "k: undefined, the update is zero"
    assert "┃" not in out


def test_of_nothing_only_the_reasons_are_printed(capsys: Said) -> None:
    show_entropy([], ["k: undefined, the update is zero"])
    assert capsys.readouterr().out == "k: undefined, the update is zero\n"
