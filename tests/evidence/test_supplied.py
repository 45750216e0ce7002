"""A folder of supplied files is named by its content, and refused when it changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.evidence.supplied import SuppliedRow, keep_supplied, read_supplied, supplied_folders
from repro.files import file_digest

ROW = SuppliedRow(
    model="m", condition="c", seed=0, step=9, quantity="q", stated=0.5, stated_in="v.csv: line 2"
)


def kept(tmp_path: Path, by: str = "the authors") -> Path:
    sent = tmp_path / "sent/deep"
    sent.mkdir(parents=True, exist_ok=True)
    (sent / "v.csv").write_text("x")
    files = {"deep/v.csv": file_digest(sent / "v.csv")}
    record = {"paper": "p", "by": by, "seal": "s", "files": files, "told": ("one",)}
    return keep_supplied(tmp_path, tmp_path / "sent", record, [ROW])[0]


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    record, rows = read_supplied(folder)
    assert (record.by, record.told) == ("the authors", ("one",))
    assert rows.to_pylist() == [ROW.model_dump()]
    assert (folder / "files/deep/v.csv").read_text() == "x"


def test_the_same_files_by_another_sender_are_another_folder(tmp_path: Path) -> None:
    assert kept(tmp_path) == kept(tmp_path) != kept(tmp_path, "somebody else")
    assert len([*supplied_folders(tmp_path)]) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "files/deep/v.csv").write_text("y"),
        lambda folder: (folder / "files/deep/v.csv").unlink(),
        lambda folder: (folder / "rows.parquet").write_bytes(b"PAR1"),
        lambda folder: (folder / "supplied.json").write_text("{}"),
        lambda folder: (folder / "supplied.json").write_text(
            (folder / "supplied.json").read_text().replace("the authors", "somebody")
        ),
    ],
)
def test_a_folder_that_changed_is_refused(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = kept(tmp_path)
    change(folder)
    with pytest.raises(EvidenceError, match=str(folder)):
        read_supplied(folder)
