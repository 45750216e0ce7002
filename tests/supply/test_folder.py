"""What a sender's folder holds, and which line of files.csv is at fault."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from repro.errors import InputError
from repro.supply.folder import read_folder
from repro.verify.evidence.axes import PaperAxes


def test_tables_files_and_what_is_left_are_told_apart(twin: ModuleType, sent: Path) -> None:
    twin.adapter(sent / "adapters/B3-0", 4, 0)
    with (sent / "files.csv").open("a") as file:
        file.write("adapters/B3-0/,smollm2-135m,B3,0,40\r\n")
    (sent / "notes.txt").write_text("hello")
    (sent / ".hidden").write_text("x")
    found = read_folder(sent, PaperAxes())
    assert found.tables == ("values.csv",)
    assert [file.run.step for file in found.files] == [0, 0, 40, 40, 40]
    assert [file.kind for file in found.files].count("adapter") == 1
    assert found.unread == ("notes.txt",)
    assert {"labels.csv", "files.csv", "adapters/B3-0/adapter_config.json"} < {*found.every}


def _link(folder: Path) -> None:
    (folder / "more.csv").symlink_to(folder / "values.csv")


def _twice(folder: Path) -> None:
    lines = (folder / "files.csv").read_text().splitlines()
    (folder / "files.csv").write_text("\n".join([*lines, lines[2]]) + "\n")


def _same_run(folder: Path) -> None:
    text = (folder / "files.csv").read_text()
    (folder / "files.csv").write_text(text.replace("B3,1,40", "B3,0,40"))


def _rename(old: str, new: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        text = (folder / "files.csv").read_text()
        (folder / "files.csv").write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "files.csv").unlink(), "and no files.csv"),
        (lambda folder: (folder / "labels.csv").unlink(), "line 2: activations/B3-0-0.npz has no"),
        (_link, "is a link"),
        (lambda folder: os.mkfifo(folder / "pipe.csv"), "is a pipe, a socket or a device"),
        (lambda folder: os.mkfifo(folder / "activations" / "x.npz"), "is a pipe, a socket"),
        (_twice, "line 6: activations/B3-0-40.npz: the same file stands in files.csv: line 3"),
        (_same_run, "line 5: activations/B3-1-40.safetensors: the same run as"),
        (_rename("B3-0-40.npz", "B3-0-41.npz"), "line 3: column file: no"),
        (_rename("activations/B3-0-40.npz", "values.csv"), "line 3: column file: found values.csv"),
        (_rename("seed", "sead"), "column seed: missing; found file, model, condition, sead, step"),
        (_rename(",40", ",forty"), "line 3: column step: found 'forty'"),
        (_rename("activations/B3-0-40.npz", "../B3-0-40.npz"), "line 3: column file: no"),
    ],
)
def test_a_folder_that_cannot_be_taken_is_told_with_its_line(
    sent: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(sent)
    with pytest.raises(InputError) as refused:
        read_folder(sent, PaperAxes())
    assert words in str(refused.value)


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "sent.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"sent\.zip: is a file; expected a folder: unpack it"):
        read_folder(tmp_path / "sent.zip", PaperAxes())


def test_an_empty_folder_and_none_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=str(folder)):
            read_folder(folder, PaperAxes())
