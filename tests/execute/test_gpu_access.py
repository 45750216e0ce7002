"""What keeps a GPU from a container is said in our words: card, driver, engine, each seen missing
and seen there.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from repro.execute.container import ContainerLimits, ContainerRunner, settings
from repro.execute.device import Gpu
from repro.execute.gpu_access import (
    DRIVER,
    HOOKS,
    cards_on_the_bus,
    driver_problem,
    gpu_problem,
    way_through,
)

NEW, OLD = Gpu("A100", 80.0, "580.82.07"), Gpu("A100", 80.0, "550.54.15")
BARE: Mapping[str, Any] = {"Runtimes": {"runc": {}}}
NVIDIA: Mapping[str, Any] = {"Runtimes": {"runc": {}, "nvidia": {}}}


@pytest.fixture
def no_hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without NVIDIA's programs, whatever this one has."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_hooks")
@pytest.mark.parametrize(
    ("info", "cards", "on_the_bus", "words"),
    [
        (BARE, [], 0, None),
        (
            BARE,
            [],
            2,
            "2 NVIDIA cards are built in and no driver answers: install NVIDIA's driver "
            f"{DRIVER} or later",
        ),
        (NVIDIA, [OLD], 1, f"driver 550.54.15 is too old for CUDA 13: install {DRIVER} or later"),
        (
            BARE,
            [NEW],
            1,
            "the container engine has no way to the GPU: install nvidia-container-toolkit",
        ),
        (NVIDIA, [NEW], 1, None),
    ],
    ids=["no card", "no driver", "an old driver", "no toolkit", "all there"],
)
def test_the_first_thing_that_is_missing_is_named(
    info: Mapping[str, Any], cards: list[Gpu], on_the_bus: int, words: str | None
) -> None:
    """Without a card nothing is missing: the image then runs on the processor."""
    found = gpu_problem(info, cards, on_the_bus)
    assert found is None if words is None else str(found).startswith(words)


@pytest.mark.parametrize(
    ("driver", "old"), [("580.65.06", False), ("580.65.05", True), ("579.99", True), ("600", False)]
)
def test_a_drivers_version_is_compared_number_by_number(driver: str, old: bool) -> None:
    assert (driver_problem([Gpu("H200", 139.0, driver)], 1) is not None) is old


@pytest.mark.usefixtures("no_hooks")
def test_cdi_counts_where_the_engine_knows_it_and_a_card_is_described(tmp_path: Path) -> None:
    """An empty folder, another vendor's devices and an engine without CDI are no way."""
    engine = {**BARE, "CDISpecDirs": [str(tmp_path)]}
    assert way_through(engine, [tmp_path]) is None
    (tmp_path / "other.yaml").write_text("kind: example.com/net\n")
    assert way_through(engine, [tmp_path]) is None
    (tmp_path / "nvidia.yaml").write_text("kind: nvidia.com/gpu\n")
    assert way_through(engine, [tmp_path]) == "cdi"
    assert way_through(BARE, [tmp_path]) is None


def test_nvidias_hook_is_a_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker finds it by name on its path; nothing else need be set."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert way_through(BARE, []) is None
    (tmp_path / HOOKS[0]).write_text("#!/bin/sh\n")
    (tmp_path / HOOKS[0]).chmod(0o755)
    assert way_through(BARE, []) == "nvidia"


def test_cards_are_counted_on_the_bus(tmp_path: Path) -> None:
    """NVIDIA's display controllers, neither its audio devices nor other makers' cards."""
    for name, vendor, kind in (
        ("a", "0x10de", "0x030000"),
        ("b", "0x10de", "0x040300"),
        ("c", "0x1002", "0x030000"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    assert cards_on_the_bus(tmp_path) == 1
    assert cards_on_the_bus(tmp_path / "absent") == 0


@pytest.mark.parametrize(
    ("gpus", "way", "expected"),
    [
        ("", None, []),
        ("all", "nvidia", [("", -1, None, [["gpu", "compute", "utility"]])]),
        ("1,3", "nvidia", [("", 0, ["1", "3"], [["gpu", "compute", "utility"]])]),
        ("all", "cdi", [("cdi", 0, ["nvidia.com/gpu=all"], None)]),
        ("1,3", "cdi", [("cdi", 0, ["nvidia.com/gpu=1", "nvidia.com/gpu=3"], None)]),
    ],
)
def test_the_engine_is_asked_for_devices_in_its_own_way(
    gpus: str,
    way: Any,
    expected: list[tuple[Any, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And for none where there is no card: then it needs no NVIDIA runtime."""
    monkeypatch.setattr(
        "repro.execute.container.read_request", lambda _: type("Request", (), {"id": "1"})
    )
    runner = ContainerRunner(
        None, "image", tmp_path, tmp_path, ContainerLimits(1, 1 << 30), gpus, way
    )
    folder: Any = type("Folder", (), {"path": tmp_path})
    asked = settings(runner, folder, "1:1")["device_requests"]
    found = [
        (one["Driver"], one["Count"], one["DeviceIDs"] or None, one["Capabilities"] or None)
        for one in asked
    ]
    assert found == expected
