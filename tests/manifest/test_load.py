"""Names become files, and files records; what is not found is told with what there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from repro.errors import ManifestError
from repro.manifest.benchmark import load_benchmarks
from repro.manifest.load import (
    CATALOGUES,
    MANIFESTS,
    experiment_names,
    find_manifest,
    load_experiment,
    load_models,
    load_sources,
    place_manifest,
)

SMOKE = (MANIFESTS / "smoke.yaml").read_text().replace("id: smoke", "id: mine")


def own(folder: Path, content: str = SMOKE) -> Path:
    """Write a user's own manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.yaml").write_text(content)
    return folder / "mine.yaml"


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a manifests/ of its own; catalogues are read anew there and after."""
    (tmp_path / "manifests").mkdir()
    monkeypatch.chdir(tmp_path)
    catalogues = (load_models, load_sources, load_benchmarks)
    for load in catalogues:
        load.cache_clear()
    yield tmp_path
    for load in catalogues:
        load.cache_clear()


def test_a_missing_manifest_lists_those_there_are() -> None:
    with pytest.raises(ManifestError, match=r"known are .*laptop.*smoke"):
        load_experiment("no_such")


def test_a_folder_is_not_a_manifest_but_its_files_are(tmp_path: Path) -> None:
    assert load_experiment(str(own(tmp_path))).id == "mine"
    with pytest.raises(
        ManifestError, match=r"found a folder, .* give a YAML file, such as .*mine\.yaml$"
    ) as caught:
        load_experiment(str(tmp_path))
    assert "scale_ladder" not in str(caught.value)


def test_the_projects_manifests_are_found_by_name_and_its_catalogues_are_none() -> None:
    names = experiment_names()
    assert {"smoke", "laptop", "scale_ladder"} <= {*names}
    assert not {*names} & {*CATALOGUES}
    assert [load_experiment(name).id for name in names] == names


def test_a_manifest_of_the_working_folder_comes_before_the_projects(working_folder: Path) -> None:
    path = working_folder / "manifests" / "smoke.yaml"
    path.write_text(SMOKE.replace("id: mine", "id: smoke").replace("seeds: [0, 1]", "seeds: [5]"))
    found = find_manifest("smoke")
    assert found is not None
    assert found.samefile(path)
    assert any(arm.seeds == (5,) for arm in load_experiment("smoke").arms)
    assert find_manifest("no_such") is None
    assert find_manifest("no/such") == Path("no/such")


def test_an_entry_of_the_working_folders_catalogue_replaces_the_projects(
    working_folder: Path,
) -> None:
    (working_folder / "manifests" / "models.yaml").write_text(
        "tiny-llama:\n  title: ours\n  weights: {kind: random, seed: 9}\n"
        "  architecture: {family: llama, hidden: 8, layers: 1, heads: 2, kv_heads: 1, "
        "intermediate: 8, vocabulary: 9}\n"
    )
    (working_folder / "manifests" / "texts.jsonl").write_text('{"text": "one"}\n')
    (working_folder / "manifests" / "datasets.yaml").write_text(
        "notes: {kind: file, path: texts.jsonl}\n"
    )
    assert load_models()["tiny-llama"].title == "ours"
    assert load_models()["tiny-qwen2"].title != "ours"
    assert load_sources()["notes"].data.kind == "file"
    assert "gsm8k" in load_sources()


def test_a_placed_manifest_is_found_by_its_name_wherever_it_lies(tmp_path: Path) -> None:
    path = own(tmp_path / "a").rename(tmp_path / "a" / "placed_once.yaml")
    assert place_manifest(path, "claim 1") == "placed_once"
    assert find_manifest("placed_once") == path
    copy = own(tmp_path / "b").rename(tmp_path / "b" / "placed_once.yaml")
    assert place_manifest(copy, "claim 2") == "placed_once"
    assert find_manifest("placed_once") == path
    copy.write_text(SMOKE + "# another\n")
    with pytest.raises(ManifestError, match=rf"claim 3: two manifests are called .*{path} and"):
        place_manifest(copy, "claim 3")


def test_a_benchmark_that_is_in_no_catalogue_is_named_with_the_nearest(tmp_path: Path) -> None:
    good = own(tmp_path, SMOKE + "evaluation: {benchmarks: [dozen]}\n")
    assert load_experiment(str(good)).evaluation is not None
    own(tmp_path, SMOKE + "evaluation: {benchmarks: [dozn]}\n")
    words = r"mine\.yaml: field evaluation\.benchmarks: found 'dozn', .*nearest is dozen; add it to"
    with pytest.raises(ManifestError, match=words):
        load_experiment(str(good))
