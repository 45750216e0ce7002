"""supplied/PAPER/DIGEST/: what a paper's authors sent, kept as evidence of a grade of its own.

supplied.json  the paper, who sent it and when, the digest of every file, what was told of them
rows.parquet   each value: as it was stated, as it was measured here, or both
files/         the files as they came, byte for byte

A folder is named by its content: the paper, the sender, and the digest of each file.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from repro.errors import EvidenceError, SetupError, first_line
from repro.evidence.folder import refuse_changed
from repro.evidence.marker import Moment
from repro.evidence.reading import read_content, read_run_state
from repro.files import digest, sync_folder, way_out, write_bytes, write_json
from repro.frozen import Frozen

SUPPLIED_FOLDER = "supplied"
RECORD, ROWS_FILE, FILES = "supplied.json", "rows.parquet", "files"
_SHORT = 12
_AGAIN = "restore it, or remove that folder and supply the files again"


class SuppliedRow(Frozen):
    """One value of one cell."""

    model: str
    condition: str
    seed: int | None
    step: int
    quantity: str
    specification: str = "default"
    concept: str | None = None
    direction: int | None = None
    probe_set: str | None = None
    adapter: str | None = None
    axes: str = ""
    """Levels of the paper's own axes, as JSON: [["algorithm", "ERM"], ["domain", "c"]]."""
    stated: float | None = None
    """The value in the authors' table."""
    stated_in: str | None = None
    """File and line of it."""
    measured: float | None = None
    """The value that their activations or adapter give here."""
    measured_from: str | None = None
    """The file of these."""
    undefined: str | None = None
    """Why these give no value; the row then counts for nothing."""
    n: int = 0
    """Probes or problems behind it; 0 where nobody says."""


SUPPLIED_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("model", "condition")),
        *(("seed", pa.int64()), ("step", pa.int32())),
        *(pa.field(name, pa.string()) for name in ("quantity", "specification", "concept")),
        ("direction", pa.int32()),
        *(pa.field(name, pa.string()) for name in ("probe_set", "adapter", "axes")),
        *(("stated", pa.float64()), ("stated_in", pa.string())),
        *(("measured", pa.float64()), ("measured_from", pa.string())),
        ("undefined", pa.string()),
        ("n", pa.int64()),
    ]
)


class SuppliedRecord(Frozen):
    """What is known of a folder of supplied files."""

    format: int = 1
    paper: str
    by: str
    """Who sent them."""
    supplied: Moment
    """When they were taken in."""
    seal: str
    """The newest seal of the claims then."""
    files: dict[str, str]
    """Path below the sender's folder → sha256."""
    rows: str
    """sha256 of rows.parquet."""
    told: tuple[str, ...] = ()
    """What was found wrong with them and did not keep them from being taken."""

    @property
    def digest(self) -> str:
        """Return the name of this content."""
        return digest({"paper": self.paper, "by": self.by, "files": self.files})


def keep_supplied(
    results: Path,
    sent: Path,
    record: Mapping[str, object],
    rows: Sequence[SuppliedRow],
) -> tuple[Path, SuppliedRecord]:
    """Copy the files below results/ and write the record, last. Return its folder and the record.

    What was supplied before, under the same name, is left as it is. Raises SetupError where it
    cannot be written, and EvidenceError for a file that changed meanwhile.
    """
    sink = pa.BufferOutputStream()
    content = [row.model_dump() for row in rows]
    pq.write_table(pa.Table.from_pylist(content, schema=SUPPLIED_SCHEMA), sink, compression="zstd")
    table = sink.getvalue().to_pybytes()
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    made = SuppliedRecord.model_validate(
        {**record, "supplied": now, "rows": hashlib.sha256(table).hexdigest()}
    )
    folder = results / SUPPLIED_FOLDER / made.paper / made.digest[:_SHORT]
    if (folder / RECORD).exists():
        return folder, read_supplied_record(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, expected in made.files.items():
            target = folder / FILES / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sent / name, target)
            refuse_changed(target, read_run_state(folder / FILES, name).sha256, expected)
        sync_folder(folder)
    except OSError as error:
        raise SetupError(
            f"{folder}: could not be written ({error.strerror}); {way_out(error)}"
        ) from error
    write_bytes(folder / ROWS_FILE, table)
    write_json(folder / RECORD, made.model_dump(mode="json"))
    return folder, made


def supplied_folders(results: Path) -> Iterator[Path]:
    """Yield every folder of supplied files with a record, in order of names."""
    for path in sorted((results / SUPPLIED_FOLDER).glob(f"*/*/{RECORD}")):
        yield path.parent


def read_supplied_record(folder: Path) -> SuppliedRecord:
    """Read a folder's record. Raises EvidenceError for one that is none, or of another folder."""
    data, _ = read_content(folder, RECORD)
    try:
        record = SuppliedRecord.model_validate_json(data)
    except ValidationError as error:
        raise EvidenceError(
            f"{folder / RECORD}: cannot be read ({first_line(error)}); {_AGAIN}"
        ) from error
    if (folder.parent.name, folder.name) != (record.paper, record.digest[:_SHORT]):
        raise EvidenceError(
            f"{folder / RECORD}: is the record of {record.paper}/{record.digest[:_SHORT]}, and "
            f"lies in {folder.parent.name}/{folder.name}; {_AGAIN}"
        )
    return record


def read_supplied(folder: Path) -> tuple[SuppliedRecord, pa.Table]:
    """Read a folder's record and its values, after comparing every file with its digest.

    Raises EvidenceError, naming the file that is gone or other.
    """
    record = read_supplied_record(folder)
    for name, expected in record.files.items():
        state = read_run_state(folder / FILES, name)
        refuse_changed(folder / FILES / name, state.sha256, expected)
    data, state = read_content(folder, ROWS_FILE)
    refuse_changed(folder / ROWS_FILE, state.sha256, record.rows)
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise EvidenceError(
            f"{folder / ROWS_FILE}: no Parquet that can be read ({first_line(error)}); {_AGAIN}"
        ) from error
    if not table.schema.equals(SUPPLIED_SCHEMA):
        raise EvidenceError(f"{folder / ROWS_FILE}: has the columns of another version; {_AGAIN}")
    return record, table
