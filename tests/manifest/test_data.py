"""Sources of a manifest's own: found beside it, named by their content."""

from pathlib import Path

import pytest

from repro.errors import ManifestError
from repro.files import file_digest
from repro.manifest.load import MANIFESTS, load_experiment, load_sources
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run

SMOKE = (MANIFESTS / "smoke.yaml").read_text().replace("id: smoke", "id: mine")
OWN = SMOKE.replace("code: [standard_library]", "code: [notes, standard_library]")


def planned(
    folder: Path, text: str = "a text", source: str = "{kind: file, path: data/notes.jsonl}"
) -> tuple[Run, ...]:
    """The runs of a manifest in `folder` that trains on a file beside it."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "notes.jsonl").write_text(f'{{"text": "{text}"}}\n')
    (folder / "mine.yaml").write_text(OWN + f"sources:\n  notes: {source}\n")
    return expand(load_experiment(str(folder / "mine.yaml")), local_environment())


def test_a_file_is_found_beside_the_manifest_and_its_content_names_the_run(tmp_path: Path) -> None:
    first, moved, changed = planned(tmp_path / "a"), planned(tmp_path / "b"), planned(tmp_path / "c", "another text")
    assert [run.id for run in first] == [run.id for run in moved], "where a file lies decides nothing"
    assert all(a.id != c.id for a, c in zip(first, changed, strict=True))


def test_another_content_than_the_one_stated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"notes: field sha256: .*expected aaaaaaaaaaaa"):
        planned(tmp_path / "a", source=f"{{kind: file, path: data/notes.jsonl, sha256: '{'a' * 64}'}}")
    stated = file_digest(tmp_path / "a" / "data" / "notes.jsonl")
    assert planned(tmp_path / "b", source=f"{{kind: file, path: data/notes.jsonl, sha256: '{stated}'}}")


def test_a_missing_file_and_another_kind_of_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"notes: field path: found no file .*absent\.jsonl"):
        planned(tmp_path / "a", source="{kind: file, path: data/absent.jsonl}")
    with pytest.raises(ManifestError, match=r"field sources\.notes\.file\.path"):
        planned(tmp_path / "b", source="{kind: file, path: data/notes.csv}")


def test_competition_math_is_all_seven_subjects() -> None:
    assert len(load_sources()["competition_math"].data.configurations) == 7  # type: ignore[union-attr]  # a hub set
