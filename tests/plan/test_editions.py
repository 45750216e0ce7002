"""The edition of the numbers: what belongs to it, how it grows, and how it is kept."""

from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.plan.editions import (
    Edition,
    Editions,
    Member,
    load_editions,
    raised,
    with_member,
    write_editions,
)

PINS = {"numpy": "2.0", "torch": "2.5"}
IMAGE = "a" * 64


def kept(*members: Member) -> Editions:
    """Editions of a file with these members for CPUs."""
    cpu = {"code": 3, "packages": 5, "reason": "a test", "members": members}
    return Editions.model_validate({"devices": {"cpu": cpu}})


def test_packages_belong_where_all_they_name_are_a_members() -> None:
    """Packages of another system are left out of a lock; without torch nothing was computed."""
    cpu = kept(Member(pins=PINS | {"triton": "3"})).devices["cpu"]
    assert cpu.of_packages(PINS)
    assert not cpu.of_packages(PINS | {"numpy": "2.1"})
    assert not cpu.of_packages(PINS | {"scipy": "1"})
    assert not cpu.of_packages({"numpy": "2.0"})
    assert not cpu.of_packages({})


def test_an_image_belongs_by_its_content_alone() -> None:
    cpu = kept(Member(pins=PINS), Member(content=IMAGE)).devices["cpu"]
    assert cpu.of_image(IMAGE)
    assert not cpu.of_image("b" * 64)
    assert cpu.pins == PINS, "the last member that names packages is the first of the two"
    assert not cpu.of_packages({"torch": "2.6"}), "an image's member names no packages"


def test_a_member_joins_last_and_leaves_the_two_integers() -> None:
    newer = Member(pins=PINS | {"numpy": "2.1"}, differs=("numpy 2.0 → 2.1",), numbers=7)
    joined = with_member(kept(Member(pins=PINS)), "cpu", newer).devices["cpu"]
    assert joined.edition == Edition(code=3, packages=5)
    assert joined.members == (Member(pins=PINS), newer)
    assert joined.of_packages(PINS)
    assert joined.of_packages(newer.pins)


def test_new_code_keeps_the_members_and_new_packages_begin_with_the_last_alone() -> None:
    newer = PINS | {"numpy": "2.1"}
    before = kept(Member(pins=PINS), Member(pins=newer), Member(content=IMAGE))
    code = raised(before, "cpu", "code", "a better sum").devices["cpu"]
    assert (code.edition, code.reason) == (Edition(code=4, packages=5), "a better sum")
    assert code.members == before.devices["cpu"].members
    packages = raised(before, "cpu", "packages", "numpy").devices["cpu"]
    assert packages.edition == Edition(code=3, packages=6)
    assert packages.members == (Member(pins=newer),)
    assert not packages.of_image(IMAGE)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path, editions = tmp_path / "editions.json", kept(Member(pins=PINS, numbers=2))
    write_editions(editions, path)
    assert load_editions(path) == editions
    assert '"format": 1' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["{", '{"devices": {"cpu": {"code": 0}}}', None])
def test_a_file_that_is_none_is_one_line_that_names_it(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "editions.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SetupError, match=r"editions\.json: cannot be read \(.+\); restore it"):
        load_editions(path)
