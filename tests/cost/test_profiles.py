"""Profiles say which speeds nobody measured; the machine's own come first."""

from pathlib import Path

import pytest

from repro.cache import profile_file
from repro.cli.plan import CARDS
from repro.cost.profiles import CORE, H100, PROFILES, card, core


def test_only_what_was_measured_says_so() -> None:
    assert [name for name, known in PROFILES.items() if known.measured] == ["h100-80"]
    assert [*PROFILES] == [*CARDS], "the names that `repro plan --gpu` takes"
    assert all(known.spread > H100.spread for known in PROFILES.values() if not known.measured)


@pytest.mark.parametrize(
    ("driver", "same"),
    [
        ("NVIDIA H100 80GB HBM3", "h100-80"),
        ("NVIDIA A100-SXM4-80GB", "a100-80"),
        ("NVIDIA H200", "h200-141"),
        ("NVIDIA GeForce RTX 4090", "4090-24"),
    ],
)
def test_a_card_is_known_by_its_drivers_name(driver: str, same: str, tmp_path: Path) -> None:
    assert card(driver, tmp_path).products == PROFILES[same].products
    assert card(driver, tmp_path).name == driver


def test_a_card_that_nobody_knows_says_so(tmp_path: Path) -> None:
    strange = card("Tesla T4", tmp_path)
    assert strange.measured is None
    assert strange.spread > max(known.spread for known in PROFILES.values())


def test_what_was_measured_here_comes_first(tmp_path: Path) -> None:
    """A file that cannot be read counts as none."""
    own = H100.model_copy(update={"name": "NVIDIA H100 PCIe", "moved": 1.5e12})
    file = profile_file(tmp_path, own.name)
    file.parent.mkdir()
    file.write_text(own.model_dump_json())
    assert card(own.name, tmp_path) == own
    profile_file(tmp_path, CORE).write_text(own.model_copy(update={"name": CORE}).model_dump_json())
    assert core(tmp_path).moved == 1.5e12
    profile_file(tmp_path, CORE).write_text('{"name": "core"')
    assert 1e8 < core(tmp_path).products["float32"] < 1e13, "its products were timed instead"
