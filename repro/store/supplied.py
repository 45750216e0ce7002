"""Turn the folders of supplied files into rows of the store, and say which of them counts.

Of several folders of one paper the newest counts, whole: what authors send again replaces what they
sent before, and the earlier folders stay where they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from repro.errors import EvidenceError
from repro.evidence.supplied import (
    RECORD,
    SuppliedRecord,
    read_supplied,
    supplied_folders,
)
from repro.store.tables import utc

Read = tuple[str, SuppliedRecord, pa.Table]
"""(folder below supplied/, its record, its values)."""


def read_all(results: Path) -> tuple[list[Read], list[str]]:
    """Return every folder that can be trusted, and a line for each that cannot."""
    found: list[Read] = []
    refused: list[str] = []
    for folder in supplied_folders(results):
        try:
            record, table = read_supplied(folder)
        except EvidenceError as error:
            refused.append(str(error))
        else:
            found.append((f"{folder.parent.name}/{folder.name}", record, table))
    return found, refused


def supplied_rows(found: Sequence[Read]) -> Iterator[Mapping[str, Any]]:
    """Yield one row per folder; `counts` says whether it is its paper's newest."""
    newest = {
        record.paper: name
        for name, record, _ in sorted(found, key=lambda one: (utc(one[1].supplied), one[0]))
    }
    for name, record, _ in found:
        yield {
            "folder": name,
            "paper": record.paper,
            "supplied_by": record.by,
            "supplied": utc(record.supplied),
            "counts": newest[record.paper] == name,
            "files": len(record.files),
            "seal": record.seal,
            "told": "\n".join(record.told),
        }


def supplied_values(found: Sequence[Read], schema: pa.Schema) -> pa.Table:
    """Return the values of all folders, each with its folder."""
    tables = [
        table.append_column("folder", pa.array([name] * table.num_rows, pa.string()))
        for name, _, table in found
    ]
    return pa.concat_tables([schema.empty_table(), *tables], promote_options="default")


def check_supplied(results: Path) -> list[str]:
    """Return the first problem of each folder of supplied files, after reading all of them."""
    return read_all(results)[1]


def supplied_records(results: Path) -> list[Path]:
    """Return the records of all folders of supplied files."""
    return [folder / RECORD for folder in supplied_folders(results)]
