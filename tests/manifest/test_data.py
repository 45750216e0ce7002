"""Sources of a manifest's own: found beside it, named by their content."""

from pathlib import Path

import pytest

from repro.errors import ManifestError
from repro.files import file_digest
from repro.manifest.data import HubDataset, Source, identity
from repro.manifest.load import MANIFESTS, load_experiment, load_sources
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.plan.texts import texts_file

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


def hub_set(**said: object) -> Source:
    """A hub set of which this is said besides."""
    return Source(id="many", data=HubDataset(repository="a/b", revision="c" * 40, template="{text}", **said))  # type: ignore[arg-type]  # one field a test


def test_a_number_of_records_decides_the_texts_and_a_stated_size_does_not(tmp_path: Path) -> None:
    whole, few, fewer, sized = hub_set(), hub_set(records=100), hub_set(records=99), hub_set(gibibytes=1.5)
    names = [texts_file(tmp_path, source, "any") for source in (whole, few, fewer)]
    assert len(set(names)) == 3
    assert texts_file(tmp_path, sized, "any") == names[0]
    assert identity(sized.model_dump()) == identity(whole.model_dump()) != identity(few.model_dump())


def test_a_set_without_a_number_of_records_keeps_the_name_its_texts_already_have(tmp_path: Path) -> None:
    assert texts_file(tmp_path, load_sources()["gsm8k"], "any").name == "gsm8k-48c5b15082de.jsonl"


def test_a_cut_set_has_more_texts_than_any_run_of_the_manifests_takes() -> None:
    """A text of it is then never trained on twice: not in B3, and not if a run took nothing else."""
    cut = {s.id: s.data.records for s in load_sources().values() if isinstance(s.data, HubDataset) and s.data.records}
    assert "wikipedia" in cut
    taken: list[tuple[int, int]] = []
    for path in sorted(MANIFESTS.glob("*.yaml")):
        if "arms:" not in path.read_text():
            continue
        for run in expand(load_experiment(str(path)), local_environment()):
            for domain, sources in run.domains.items():
                drawn = sum(phase.mixture.get(domain, 0) * phase.steps for phase in run.condition.phases)
                needed = drawn * run.training.sequences_per_step / len(sources) + run.training.heldout
                taken += [(cut[source.id], round(needed)) for source in sources if source.id in cut]
    assert max(needed for _, needed in taken) == 12_000
    assert all(records > 80_000 > needed for records, needed in taken)
