"""Disk use as a table: sizes, what can go and how, and the sum of what stays."""

from pathlib import Path

import pytest

from repro.machine.clean import DAMAGED, Item
from repro.report.terminal.clean import inventory_table, print_inventory, print_removed

Said = pytest.CaptureFixture[str]
MIB = 2**20
ITEMS = [
    Item(Path("c"), 300 * MIB, "a fetched model", "cache"),
    Item(Path("e"), 200 * MIB, "evidence of a run", "evidence"),
    Item(Path("l"), 3 * MIB // 2, "a broken build", "leftover"),
]


def test_each_item_says_whether_it_can_go() -> None:
    assert inventory_table(ITEMS).rows == (
        ("300.0", "with --cache", "a fetched model", "c"),
        ("200.0", "no", "evidence of a run", "e"),
        ("1.5", "yes", "a broken build", "l"),
    )


def test_the_largest_are_listed_and_the_rest_summed(capsys: Said, tmp_path: Path) -> None:
    many = [Item(Path(f"place{n}"), MIB, "kept", "evidence") for n in range(25)]
    print_inventory(many, tmp_path, tmp_path)
    out = capsys.readouterr().out
    assert out.count("place") == 20
    assert "and 5 smaller ones, 5 MiB in all" in out
    assert "stays: 25 MiB that verdicts rest on" in out


def test_a_damaged_run_is_told_whole_in_a_line_of_its_own(capsys: Said, tmp_path: Path) -> None:
    why = f"{DAMAGED}{'x' * 300}\nend"
    print_inventory([Item(Path("d"), MIB, why, "evidence")], tmp_path, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    (told,) = [line for line in lines if "x" * 300 in line]
    assert "end" in told


def test_of_nothing_the_folders_are_named(capsys: Said, tmp_path: Path) -> None:
    print_inventory([], tmp_path / "results", tmp_path / "cache")
    words = " ".join(capsys.readouterr().out.split())
    assert f"nothing of this project lies in {tmp_path / 'results'} and" in words


CACHE = "can go: 300 MiB of cache (repro clean --yes --cache; fetched again when needed)"


@pytest.mark.parametrize(
    ("removed", "lines"),
    [
        ((), ["can go: 2 MiB of leftover (repro clean --yes)", CACHE]),
        (("leftover",), ["removed: 2 MiB", CACHE]),
        (("leftover", "cache"), ["removed: 302 MiB"]),
    ],
)
def test_what_was_freed_is_said_and_how_the_rest_would_go(
    capsys: Said, removed: tuple[str, ...], lines: list[str]
) -> None:
    print_removed(ITEMS, removed)  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines() == lines
