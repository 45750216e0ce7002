"""Which manifests claims may name, and where those lie that a name does not find."""

from pathlib import Path

import pytest

from repro.claims.manifests import (
    is_manifest,
    is_manifest_path,
    known_manifests,
    manifest_beside,
    manifest_near,
    planned_manifests,
)
from repro.errors import ManifestError

MANIFEST = "id: mine\narms:\n  - condition: B1\n"


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A paper's folder below a folder papers/, far from the working folder."""
    folder = tmp_path / "study" / "papers" / "mine"
    folder.mkdir(parents=True)
    (folder / "paper.yaml").write_text("id: mine\ntitle: Mine\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return folder


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (MANIFEST, True),
        ("arms : []\n", True),
        ("locator: Table 1\n", False),
        ("x:\n  arms: 1\n", False),
    ],
)
def test_a_manifest_says_which_runs_it_asks_for(tmp_path: Path, text: str, right: bool) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    assert is_manifest(file) == right
    assert not is_manifest(tmp_path / "absent.yaml")
    assert (is_manifest_path("a.yaml"), is_manifest_path("scale_ladder")) == (True, False)


def test_shipped_and_planned_manifests_are_found_by_their_names(paper: Path) -> None:
    known = known_manifests(paper)
    assert known["scale_ladder"] is None
    assert planned_manifests() <= known.keys()
    assert "models" not in known, "a catalogue is no manifest"


def test_manifests_around_a_paper_are_known_with_their_files_the_nearest_first(
    paper: Path,
) -> None:
    above, beside = paper.parent.parent / "mine.yaml", paper / "mine.yaml"
    above.write_text(MANIFEST)
    (paper.parent / "claims.yaml").write_text("locator: Table 1\n")
    known = known_manifests(paper)
    assert known["mine"] == above
    assert "claims" not in known
    beside.write_text(MANIFEST)
    assert known_manifests(paper)["mine"] == beside


def test_those_of_the_working_folder_come_before_those_beside_the_paper(paper: Path) -> None:
    (paper / "mine.yaml").write_text(MANIFEST)
    Path("manifests").mkdir()
    Path("manifests/mine.yaml").write_text(MANIFEST)
    assert known_manifests(paper)["mine"] is None


def test_a_path_to_no_manifest_is_refused_with_where_it_was_looked_for(paper: Path) -> None:
    (paper / "mine.yaml").write_text(MANIFEST)
    assert manifest_beside("mine.yaml", paper, "here") == paper / "mine.yaml"
    for name in ("paper.yaml", "absent.yaml"):
        with pytest.raises(ManifestError) as refused:
            manifest_beside(name, paper, "claims.yaml, §1")
        assert str(refused.value) == (
            f"claims.yaml, §1: field measured_by: '{name}' is no manifest; give its path as seen "
            f"from {paper}, or its name"
        )


def test_a_name_is_looked_for_in_the_folders_beside_and_only_one_may_have_it(paper: Path) -> None:
    assert manifest_near("other", paper) is None
    for number, folder in enumerate(("runs", "more")):
        place = paper.parent / folder
        place.mkdir()
        (place / "other.yaml").write_text(MANIFEST)
        expected = paper.parent / "runs" / "other.yaml" if not number else None
        assert manifest_near("other", paper) == expected
