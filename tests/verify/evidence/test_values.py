"""Tables of values as their users write them."""

import os
from pathlib import Path

import pytest

from repro.errors import InputError
from repro.verify.evidence.axes import PaperAxes
from repro.verify.evidence.columns import NO_SEED
from repro.verify.evidence.values import read_values

OWN = PaperAxes(("algorithm", "quantity", "value"), ("algorithm", "trial"))


def table(folder: Path, *lines: str) -> Path:
    path = folder / "v.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_own_axes_tell_cells_apart(tmp_path: Path) -> None:
    path = table(tmp_path, "algorithm,trial,quantity,value", "ERM,0,a,0.50", "ERM,1,a,1e-3")
    first, second = read_values(path, OWN)
    assert first.axes == (("algorithm", "ERM"), ("trial", "0"))
    assert (first.seed, first.digit, second.digit) == (NO_SEED, 0.01, 0.001)
    assert first.place.endswith("v.csv: line 2")
    with pytest.raises(InputError, match="line 3: the same cell as line 2; found 2, and 1 there"):
        read_values(table(tmp_path, "algorithm,quantity,value", "ERM,a,1", "ERM,a,2"), OWN)


def test_parts_of_a_matrix_are_named_by_their_columns(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "model,condition,seed,step,quantity,value,matrix,module",
        "m,c,0,9,s,1,update,q_proj",
    )
    assert read_values(path)[0].concept == "matrix=update,module=q_proj"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ("trial,quantity,value", "0,a,1"),
            "column algorithm: missing; found trial, quantity, value",
        ),
        (("algorithm;quantity;value", "E;a;1"), "found algorithm;quantity;value; expected"),
        (("algorithm;quantity;value", "E;a;1"), "; separate cells by commas"),
        (("algorithm,trail,quantity,value", "ERM,0,a,1"), "'trail': unknown; nearest is trial"),
        (("algorithm,quantity,value", "ERM,,1"), "line 2: column quantity: empty"),
        (("algorithm,quantity,value", "ERM,a,1,000"), "line 2: found 4 cells, expected 3"),
        (("algorithm,concept,module,quantity,value", "E,c,q,a,1"), "only one of concept, class"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(
    tmp_path: Path, lines: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_values(table(tmp_path, *lines), OWN)
    assert words in str(refused.value)


def test_a_table_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    """Nor is what never ends."""
    large = tmp_path / "large.csv"
    large.touch()
    os.truncate(large, (64 << 20) + 1)
    for path in (large, Path("/dev/zero")):
        with pytest.raises(InputError, match="is larger than 64 MiB"):
            read_values(path)
