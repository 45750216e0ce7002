"""What a shelf holds, by name.

blobs/ab/SHA256              the content of files, each named by its digest
parcels/PLACE/SHA256.json    a finished folder: the digest of each of its files; created last
lists/MANIFEST/TIME-SHA.json which runs a manifest asks for
seals/NAME.json              the claims as they stood, named as in a results folder

A parcel is named by its own digest, so that another version of a folder never takes its place: two
who push at once both find theirs there.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from repro.errors import EvidenceError
from repro.evidence.marker import INSIDE, Digest, Inside, Moment
from repro.evidence.reading import LARGEST_RECORD
from repro.files import canonical_json
from repro.frozen import Frozen
from repro.manifest.explain import explain
from repro.share.shelf import Shelf

PARCELS, LISTS = "parcels", "lists"
_Last = (
    tuple[Literal["done.json"]]
    | tuple[Literal["done.json"], Literal["done.second.json"]]
    | tuple[Literal["supplied.json"]]
)
_SHORT = 12
_PLACE = re.compile(r"(runs|supplied)/[A-Za-z0-9_][A-Za-z0-9._+-]*/[A-Za-z0-9_][A-Za-z0-9._+-]*")


def _below_results(path: str) -> str:
    """Return the path. Raises ValueError for one that is no folder of evidence."""
    if not _PLACE.fullmatch(path) or len(path) > 240:
        raise ValueError(f"{path!r} is no folder of a run or of supplied files")
    return path


class PackedFile(Frozen):
    """One file of a parcel."""

    sha256: Digest
    size: int = Field(ge=0)


def _no_file_is_a_folder(files: dict[str, PackedFile]) -> dict[str, PackedFile]:
    """Return the files. Raises ValueError where one is a folder of another."""
    for name in files:
        for above in Path(name).parents:
            if str(above) in files:
                raise ValueError(f"{above} is a file, and {name} lies in it")
    return files


class Parcel(Frozen):
    """One finished folder."""

    format: Literal[1] = 1
    place: Annotated[str, AfterValidator(_below_results)]
    """Below results/: runs/MANIFEST/FOLDER, or supplied/PAPER/DIGEST."""
    finished: Moment
    last: _Last
    """What is written last, in this order: the marker's parts, or the record."""
    files: Annotated[dict[Inside, PackedFile], AfterValidator(_no_file_is_a_folder)]

    @property
    def marker(self) -> str:
        """Return the digest of the file that says that the folder is finished."""
        return self.files[self.last[0]].sha256

    def content(self) -> bytes:
        """Return the bytes that it is stored as."""
        return canonical_json(self.model_dump(mode="json")).encode()

    @property
    def name(self) -> str:
        """Return its name on a shelf."""
        return f"{PARCELS}/{self.place}/{hashlib.sha256(self.content()).hexdigest()}.json"


def blob(sha256: str) -> str:
    """Return the name of a content on a shelf."""
    return f"blobs/{sha256[:2]}/{sha256}"


def read_parcel(shelf: Shelf, name: str) -> Parcel:
    """Read a parcel. Raises EvidenceError for one that is not what its name says."""
    data = read_whole(shelf, name)
    try:
        parcel = Parcel.model_validate_json(data)
    except ValidationError as error:
        raise EvidenceError(f"{name}: is no parcel ({explain(error, Parcel)})") from None
    if parcel.name != name or missing(parcel):
        raise EvidenceError(
            f"{name}: is not what its name says: it was changed, or belongs elsewhere; remove it "
            "there, and push again"
        )
    return parcel


def missing(parcel: Parcel) -> bool:
    """Return whether a parcel lacks a file that it says is written last."""
    return any(part not in parcel.files for part in parcel.last)


def read_whole(shelf: Shelf, name: str) -> bytes:
    """Return a small file of a shelf. Raises EvidenceError for one that is far too large."""
    data = bytearray()
    try:
        for chunk in shelf.chunks(name):
            data += chunk
            if len(data) > LARGEST_RECORD:
                raise EvidenceError(f"{name}: more than {LARGEST_RECORD} bytes; expected a record")
    except FileNotFoundError:
        raise EvidenceError(f"{name}: is gone since it was looked for; pull again") from None
    return bytes(data)


def read_named(shelf: Shelf, name: str) -> bytes:
    """Return a record whose name ends in its sha256, or the first digits of it.

    Raises EvidenceError for one that is not what its name says.
    """
    data = read_whole(shelf, name)
    if not bears_digest(name, data):
        raise EvidenceError(
            f"{name}: is not what its name says: it was changed there; remove it, and push again"
        )
    return data


def bears_digest(name: str, data: bytes) -> bool:
    """Return whether a record's name ends in its sha256, or the first twelve digits of it."""
    digits = Path(name).stem.rpartition("-")[2]
    return len(digits) >= _SHORT and hashlib.sha256(data).hexdigest().startswith(digits)


def bring_blob(shelf: Shelf, packed: PackedFile, target: Path) -> None:
    """Bring a content to a path, and check it on the way.

    Raises EvidenceError where it is not what its name says; nothing is left then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    hashed, got, name = hashlib.sha256(), 0, blob(packed.sha256)
    try:
        with target.open("wb") as file:
            for chunk in shelf.chunks(name):
                hashed.update(chunk)
                got += len(chunk)
                file.write(chunk)
                if got > packed.size:
                    break
    except FileNotFoundError:
        target.unlink()
        raise EvidenceError(f"{name}: is not there; push again from where it is whole") from None
    if got != packed.size or hashed.hexdigest() != packed.sha256:
        target.unlink()
        raise EvidenceError(
            f"{name}: found {got} bytes of sha256 {hashed.hexdigest()[:12]}, expected "
            f"{packed.size} of its name; it was damaged there: remove it, and push again from where "
            "it is whole"
        )


def newest(parcels: Mapping[str, Parcel]) -> list[Parcel]:
    """Return the versions of a folder, the one that counts first: finished first, then fullest."""
    return sorted(
        parcels.values(),
        key=lambda one: (one.finished, one.marker, -len(one.files), one.name),
    )


def safe(name: str) -> bool:
    """Return whether a file's name may be one of ours."""
    return bool(INSIDE.fullmatch(name)) and len(name) < 240
