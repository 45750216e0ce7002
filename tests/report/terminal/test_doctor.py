"""What a machine can run, as a table: what lacks has its remedy, and the last line says whether."""

import pytest

from repro.cost.profiles import Speeds
from repro.machine.abilities import Ability, MemoryFit
from repro.report.terminal.doctor import abilities_table, print_abilities, print_profile

DISK = Ability("disk", True, "10 GiB", "free some", needed=True)
GPU = Ability("GPU", False, "none", "buy one")
MEMORY = Ability("memory", False, "1 GiB", "add some", needed=True)


def test_a_remedy_stands_only_where_something_lacks() -> None:
    """NO in capitals is what nothing runs without."""
    rows = abilities_table([DISK, GPU, MEMORY]).rows
    assert rows == (
        ("yes", "disk", "10 GiB", ""),
        ("no", "GPU", "none", "buy one"),
        ("NO", "memory", "1 GiB", "add some"),
    )


def test_manifests_stand_under_whether_they_fit(capsys: pytest.CaptureFixture[str]) -> None:
    fits = [
        MemoryFit("smoke", 1, 0.5, True, False),
        MemoryFit("[red]mine", 8, 3.0, True, True),
        MemoryFit("ladder", 22, 71.6, False, True),
    ]
    print_abilities([DISK, GPU], fits)
    lines = capsys.readouterr().out.splitlines()
    assert (
        "manifests whose largest run fits the memory here: smoke (1 run), [red]mine* (8 runs)"
        in lines
    )
    assert "too large for it: ladder* (72 GiB)" in lines
    assert "* with models that come from the model hub alone" in lines
    assert lines[-1].startswith("this machine can run manifests")


def test_without_what_is_needed_the_last_line_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_abilities([DISK, GPU, MEMORY], [])
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "nothing runs here without: memory"
    assert "fits the memory here: none" in out
    assert "model hub" not in out


def test_speeds_are_said_in_units_that_people_use(capsys: pytest.CaptureFixture[str]) -> None:
    speeds = Speeds(name="a core", products={"float32": 1.25e12}, moved=4e9, block=5e-4)
    print_profile(speeds)
    assert capsys.readouterr().out == (
        "a core, kept for plans: float32 products 1.25 TFLOP/s, 4 GB/s moved, 0.5 ms a block\n"
    )
