"""A parcel is what its name says, leads nowhere else, and one version of a folder counts."""

import hashlib
import json
from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.share.parcel import newest, read_parcel
from repro.share.pull import pull_results
from repro.share.push import push_results
from repro.share.shelf import open_shelf


@pytest.fixture
def shelf_of(carried: Path, tmp_path: Path) -> Path:
    """A folder that the carried runs were pushed to."""
    with open_shelf(str(tmp_path / "shelf"), new=True) as shelf:
        push_results(carried, shelf, None, lambda _: None)
    return tmp_path / "shelf"


@pytest.mark.parametrize(
    "changes",
    [
        {"place": "runs/../../x"}, {"place": "seals/a/b"}, {"files": {"../x": {"sha256": "0" * 64, "size": 1}}},
        {"last": ["run.json"]}, {"format": 2}, {"files": {}}, {"finished": "never"},
    ],
)  # fmt: skip
def test_a_parcel_that_leads_elsewhere_is_refused(
    shelf_of: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    old = next((shelf_of / "parcels").rglob("*.json"))
    content = json.dumps({**json.loads(old.read_bytes()), **changes}).encode()
    old.with_name(f"{hashlib.sha256(content).hexdigest()}.json").write_bytes(content)
    old.unlink()
    with open_shelf(str(shelf_of)) as shelf:
        done = pull_results(tmp_path / "target", shelf, None, lambda _: None)
    assert (done.new, len(done.refused)) == (2, 1)
    assert not (tmp_path / "x").exists()


def test_of_several_versions_the_first_that_finished_counts_then_the_fullest(
    shelf_of: Path,
) -> None:
    url = shelf_of
    with open_shelf(str(url)) as shelf:
        name = shelf.names("parcels")[0]
        one = read_parcel(shelf, name)
        (url / name).write_bytes(one.content() + b" ")
        assert read_parcel(shelf, name) == one, "white space says nothing else"
        (url / name).rename(url / f"{name}.json")
        with pytest.raises(EvidenceError, match="is not what its name says"):
            read_parcel(shelf, f"{name}.json")
    fuller = one.model_copy(update={"files": {**one.files, "adapter/x": one.files["run.json"]}})
    later = fuller.model_copy(update={"finished": "2099-01-01T00:00:00+00:00"})
    assert newest({"a": later, "b": one, "c": fuller}) == [fuller, one, later]
