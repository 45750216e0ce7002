"""Texts of one's own that cannot be brought: the command names the file and what is wrong with it,
in one line.
"""

from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.fetch.texts import fetch_texts
from repro.manifest.data import LocalFile, Source
from repro.plan.texts import edition
from repro.train.texts import texts


def test_a_bad_record_is_one_line_that_names_the_data_and_its_line(tmp_path: Path) -> None:
    path, good = tmp_path / "mine.jsonl", '{"text": "a text"}\n'
    path.write_text(good + '{"text": null}\n')
    expected = (
        rf"^data mine: could not be prepared: {path}:2: found null in field 'text', expected "
        r"text; name another [^\n]*$"
    )
    with pytest.raises(SetupError, match=expected):
        fetch_texts([Source(id="mine", data=LocalFile(path=str(path)))], tmp_path, print)
    assert not list((tmp_path / "data").glob("*")), "nothing of a refused file stays"
    path.write_text(good)
    mended = Source(id="mine", data=LocalFile(path=str(path)))
    fetch_texts([mended], tmp_path, print)
    assert texts(mended, edition(), tmp_path) == ["a text"]
