"""What an image must be: the lock's record, or this machine's own build where it still counts."""

from pathlib import Path

import pytest

from repro.cache import image_record
from repro.errors import SetupError
from repro.files import write_json
from repro.plan.editions import load_editions
from repro.plan.image_lock import (
    IMAGE_LOCK,
    ImageLock,
    LocalBuild,
    environment_in,
    expected_image,
    image_environment,
    load_locks,
    local_build,
    read_image_lock,
    write_lock,
)

RECORDED = load_locks().images["cpu"]
OWN = RECORDED.model_copy(update={"content": "a" * 64})


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A copy of the lock that a test may change."""
    path = tmp_path / "images.lock"
    path.write_bytes(IMAGE_LOCK.read_bytes())
    return path


def build_here(cache: Path, lock: ImageLock = OWN, instead_of: str | None = None) -> None:
    """Record a build with a moved base, as a machine that made one does."""
    record = LocalBuild(lock=lock, instead_of=instead_of, packages=("libc6 1 → 2",), numbers=5)
    path = image_record(cache, "cpu")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, record.model_dump(mode="json"))


def test_one_image_is_recorded_and_the_others_stay(lock: Path) -> None:
    write_lock("cpu", OWN, lock)
    assert load_locks(lock).images == {**load_locks().images, "cpu": OWN}
    assert read_image_lock("cpu", lock) == OWN


@pytest.mark.parametrize(
    ("update", "told"),
    [
        ({"content": None}, r"images\.lock: image cpu has no recorded content; build and record"),
        (
            {"requirements_sha256": "0" * 64},
            r"image cpu was recorded with another docker/cpu\.lock \(found \w{12}, expected 0{12}\)",
        ),
    ],
)
def test_an_image_that_was_not_recorded_with_its_packages_is_refused(
    lock: Path, update: dict[str, object], told: str
) -> None:
    write_lock("cpu", RECORDED.model_copy(update=update), lock)
    with pytest.raises(SetupError, match=told):
        read_image_lock("cpu", lock)
    lock.write_text("{")
    with pytest.raises(SetupError, match=r"images\.lock: cannot be read \(.+\); restore it"):
        read_image_lock("cpu", lock)


def test_a_build_of_this_machine_counts_while_the_lock_is_what_it_replaces(
    tmp_path: Path,
) -> None:
    assert local_build("cpu", tmp_path) is None
    assert expected_image("cpu", tmp_path) == expected_image("cpu", None) == RECORDED
    build_here(tmp_path, instead_of=RECORDED.content)
    assert expected_image("cpu", tmp_path) == OWN
    build_here(tmp_path, instead_of="0" * 64)
    assert expected_image("cpu", tmp_path) == RECORDED
    older = OWN.model_copy(update={"requirements_sha256": "0" * 64})
    build_here(tmp_path, older, instead_of=RECORDED.content)
    assert expected_image("cpu", tmp_path) == RECORDED
    image_record(tmp_path, "cpu").write_text("{")
    with pytest.raises(SetupError, match=r"cannot be read \(.+\); remove it$"):
        local_build("cpu", tmp_path)


def test_a_run_in_the_image_is_named_by_its_content_and_edition(tmp_path: Path) -> None:
    found = image_environment("cpu", "cpu")
    assert found.image == RECORDED.content
    assert found.python == RECORDED.python
    assert found.lock == str(RECORDED.requirements_sha256)[:16]
    assert found.edition == load_editions().devices["cpu"].edition
    assert found.pins["torch"]
    build_here(tmp_path, instead_of=RECORDED.content)
    joined = image_environment("cpu", "cpu", tmp_path)
    assert joined.image == OWN.content
    assert joined.other_packages == {}, "its numbers were compared on this machine"


def test_an_image_of_no_edition_is_refused_unless_it_is_asked_for() -> None:
    with pytest.raises(SetupError, match=rf"^image {OWN.content}: belongs to no edition"):
        environment_in(OWN, "cpu")
    assert environment_in(OWN, "cpu", allowed=True).other_packages == {"image": OWN.content}
    assert environment_in(OWN, "cpu", image="name:tag").image == "name:tag"
