"""docker/base.lock: one file of each package of the base, kept one a line."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from repro.errors import SetupError
from repro.execute.images.base_lock import (
    Package,
    load_base_lock,
    moved_packages,
    write_base,
)
from repro.execute.images.build import BUILD_SCRATCH
from repro.execute.images.debs import bring_debs
from repro.execute.images.rootfs import write_tar

WAYS = "no way out"


def test_the_lock_is_read_back_as_it_was_written(
    debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    """One package a line, so that a change shows what moved."""
    lock = debian.lock_of(packages)
    write_base(lock, tmp_path / "base.lock")
    assert load_base_lock(tmp_path / "base.lock") == lock
    assert (
        sum(
            '"sha256"' in line and '"name"' in line
            for line in (tmp_path / "base.lock").read_text().splitlines()
        )
        == 2
    )
    (tmp_path / "base.lock").write_text("{")
    with pytest.raises(SetupError, match="cannot be read"):
        load_base_lock(tmp_path / "base.lock")


def test_a_package_with_two_files_is_refused(debian: Any, tmp_path: Path) -> None:
    """The lock with each of them alone is read."""
    one, other = (debian.lock_of({("liba", version): b"1"}) for version in ("1", "2"))
    for lock in (one, other):
        write_base(lock, tmp_path / "base.lock")
        assert load_base_lock(tmp_path / "base.lock") == lock
    both = one.model_copy(update={"packages": one.packages + other.packages})
    write_base(both, tmp_path / "base.lock")
    with pytest.raises(SetupError, match=r"base\.lock: found more than one file of liba, expected"):
        load_base_lock(tmp_path / "base.lock")


def test_the_projects_base_has_no_compiler_and_builds_to_its_digest(tmp_path: Path) -> None:
    """The real lock, from the .debs that a build here has kept; where none was built, its roles
    alone are looked at.
    """
    lock = load_base_lock()
    worker = {package.name for package in lock.of_role("worker")}
    assert {"libc6", "python3.11-minimal", "dash"} <= worker
    assert not {
        name for name in worker if name.startswith(("gcc-12", "cpp", "binutils", "libc6-dev"))
    } - {"gcc-12-base"}
    kept = BUILD_SCRATCH / "debs"
    if all((kept / package.file).is_file() for package in lock.of_role("worker")):
        paths = bring_debs(lock.of_role("worker"), lock, kept, None, WAYS)
        assert write_tar(paths, tmp_path / "base.tar") == lock.sha256


def test_a_package_that_has_moved_is_named_with_both_versions(debian: Any) -> None:
    """Another file counts, and a version alone does not."""
    old = debian.lock_of({("liba", "1"): b"1", ("tool", "1"): b"t"})
    new = debian.lock_of({("liba", "2"): b"2", ("tool", "1"): b"t"})
    assert moved_packages(old, new) == ["liba 1 → 2"]
    assert moved_packages(old, old) == []


@pytest.mark.parametrize(
    "update",
    [
        {"path": "../pool/a.deb"},
        {"path": "pool/a/../a.deb "},
        {"sha256": "0"},
        {"size": 0},
        {"role": "x"},
    ],
)
def test_a_package_of_another_place_or_without_a_digest_is_refused(
    debian: Any, update: dict[str, Any]
) -> None:
    (package,) = debian.lock_of({("liba", "1"): b"1"}).packages
    assert package.file == "liba_1_amd64.deb"
    with pytest.raises(ValidationError):
        Package.model_validate({**package.model_dump(), **update})
