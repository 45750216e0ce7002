"""Read and write requirements/editions.json: the edition of the numbers, for each kind of device.

An edition is two integers: one for the code that computes, one for the packages and libraries it
computes with. Two runs with the same inputs and the same edition have the same numbers. CI verifies
this for CPUs by comparing bits (ci/edition.py); a GPU's edition is raised by hand, with the reason.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from repro.errors import SetupError, first_line
from repro.files import write_json
from repro.frozen import Frozen
from repro.shipped import ROOT

Device = Literal["cpu", "cuda"]
FILE = ROOT / "requirements" / "editions.json"
COMPARE = "ci/edition.py join compares the numbers and records it"


class Edition(Frozen):
    """The part of a run's name that stands for code and packages."""

    code: int = Field(gt=0)
    packages: int = Field(gt=0)


class Member(Frozen):
    """Packages or an image that give the numbers of an edition."""

    pins: dict[str, str] = Field(default={})
    """Computing packages and their versions."""
    content: str | None = None
    """Content hash of an image, which holds such packages and Debian's libraries below them."""
    differs: tuple[str, ...] = ()
    """Packages that differ from the members before it, each with the old and the new version."""
    numbers: int | None = Field(None, gt=0)
    """Numbers of the smoke manifest that were compared and had the same bits; None: the edition
    began with this member, or there was no GPU.
    """


class _Kind(Frozen):
    """The edition of one kind of device."""

    code: int = Field(gt=0)
    packages: int = Field(gt=0)
    reason: str = Field(min_length=1)
    """Why the edition is a new one."""
    members: tuple[Member, ...] = Field(min_length=1)

    @property
    def edition(self) -> Edition:
        """Return the two integers."""
        return Edition(code=self.code, packages=self.packages)

    @property
    def pins(self) -> dict[str, str]:
        """Return the computing packages of the member that joined last."""
        return next((member.pins for member in reversed(self.members) if member.pins), {})

    def of_packages(self, pins: Mapping[str, str]) -> bool:
        """Return whether these computing packages belong to the edition.

        Packages of other systems do not count.
        """
        return any(member.pins and _alike(pins, member.pins) for member in self.members)

    def of_image(self, content: str) -> bool:
        """Return whether an image of this content belongs to the edition."""
        return any(member.content == content for member in self.members)


class Editions(Frozen):
    """The whole file."""

    format: Literal[1] = 1
    devices: dict[Device, _Kind]


@cache
def load_editions(path: Path = FILE) -> Editions:
    """Read requirements/editions.json. Raises SetupError."""
    try:
        return Editions.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise SetupError(
            f"{path}: cannot be read ({first_line(error)}); restore it from git"
        ) from error


def with_member(editions: Editions, device: Device, member: Member) -> Editions:
    """Return the editions with one more member for a kind of device."""
    kind = editions.devices[device]
    joined = kind.model_copy(update={"members": (*kind.members, member)})
    return editions.model_copy(update={"devices": {**editions.devices, device: joined}})


def raised(
    editions: Editions, device: Device, part: Literal["code", "packages"], reason: str
) -> Editions:
    """Return the editions with the next number for one part.

    A new edition of the packages begins with the last member alone.
    """
    kind = editions.devices[device]
    kept = kind.members if part == "code" else (Member(pins=kind.pins),)
    update = {part: getattr(kind, part) + 1, "reason": reason, "members": kept}
    return editions.model_copy(
        update={"devices": {**editions.devices, device: kind.model_copy(update=update)}}
    )


def write_editions(editions: Editions, path: Path = FILE) -> None:
    """Write requirements/editions.json."""
    write_json(
        path, editions.model_dump(mode="json", exclude_defaults=True) | {"format": editions.format}
    )


def _alike(pins: Mapping[str, str], member: Mapping[str, str]) -> bool:
    """Return whether each package has a member's version.

    Packages without torch are never alike.
    """
    return all(member.get(name) == version for name, version in pins.items()) and "torch" in pins
