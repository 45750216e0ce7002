"""The whole folder: what is refused before anything is kept, and what is told."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from repro.claims.papers import find_paper
from repro.errors import InputError
from repro.supply.take import take_in


def _again(folder: Path) -> None:
    (folder / "more.csv").write_bytes((folder / "values.csv").read_bytes())


def _copy(folder: Path) -> None:
    (folder / "activations/B3-1-40.npz").write_bytes(
        (folder / "activations/B3-0-40.npz").read_bytes()
    )
    index = (folder / "files.csv").read_text()
    (folder / "files.csv").write_text(index.replace("B3-1-40.safetensors", "B3-1-40.npz"))


def _replace(old: str, new: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        text = (folder / "values.csv").read_text()
        assert old in text
        (folder / "values.csv").write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_again, "values.csv: line 2: the same cell as more.csv: line 2; found "),
        (_copy, "files.csv: line 5: activations/B3-1-40.npz: the same numbers as the file of"),
        (_replace("smollm2-135m", "gpt2"), "values.csv: line 2: model 'gpt2': no claim of laptop"),
        (_replace(",0.9167", ",91.67"), "found 91.67, expected accuracy between 0 and 1"),
        (_replace(",1.5963", ",159.63"), "activations/B3-0-40.npz gives 1.59632: percent and"),
        (_replace(",1.5963", ","), "column value: found ''"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    sent: Path, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(sent)
    with pytest.raises(InputError) as refused:
        take_in(find_paper("laptop"), sent, tmp_path / "results", "the authors")
    assert words in str(refused.value)
    assert not (tmp_path / "results/supplied").exists()


def test_a_folder_that_no_claim_speaks_of_is_refused(twin: ModuleType, tmp_path: Path) -> None:
    rows = [[twin.MODEL, "B3", 0, 35, "margin", "", "0.1"]]
    twin.write(tmp_path / "sent/values.csv", [twin.COLUMNS, *rows])
    with pytest.raises(InputError, match=r"values.csv: line 2: quantity 'margin': no claim"):
        take_in(find_paper("laptop"), tmp_path / "sent", tmp_path / "results", "the authors")


def test_a_sender_needs_a_name(sent: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--by: empty"):
        take_in(find_paper("laptop"), sent, tmp_path / "results", " ")


def test_missing_seeds_are_taken_and_kept_with_what_was_told(
    twin: ModuleType, tmp_path: Path
) -> None:
    rows = [row for row in twin.values() if row[2] == 0]
    twin.write(tmp_path / "sent/values.csv", [twin.COLUMNS, *rows])
    taken = take_in(find_paper("laptop"), tmp_path / "sent", tmp_path / "results", "the authors")
    [told] = taken.missing
    assert "seed 1 missing" in told
    assert taken.record.told == (told,)
