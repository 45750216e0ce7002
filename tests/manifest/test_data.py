"""Sources of a manifest's own: found beside it, named by their content."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from repro.errors import ManifestError
from repro.files import file_digest
from repro.manifest.data import HubDataset, LocalFile, Source, identity, template_parts
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
    first, moved, changed = (
        planned(tmp_path / "a"),
        planned(tmp_path / "b"),
        planned(tmp_path / "c", "another text"),
    )
    assert [run.id for run in first] == [run.id for run in moved], (
        "where a file lies decides nothing"
    )
    assert all(a.id != c.id for a, c in zip(first, changed, strict=True))


def test_another_content_than_the_one_stated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"notes: field sha256: .*expected aaaaaaaaaaaa"):
        planned(
            tmp_path / "a", source=f"{{kind: file, path: data/notes.jsonl, sha256: '{'a' * 64}'}}"
        )
    stated = file_digest(tmp_path / "a" / "data" / "notes.jsonl")
    assert planned(
        tmp_path / "b", source=f"{{kind: file, path: data/notes.jsonl, sha256: '{stated}'}}"
    )


def test_a_missing_file_and_another_kind_of_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"notes: field path: found no file .*absent\.jsonl"):
        planned(tmp_path / "a", source="{kind: file, path: data/absent.jsonl}")
    with pytest.raises(ManifestError, match=r"field sources\.notes\.file\.path"):
        planned(tmp_path / "b", source="{kind: file, path: data/notes.csv}")


def test_a_folder_is_told_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a" / "data" / "many.jsonl").mkdir(parents=True)
    data = LocalFile(path="data/many.jsonl")
    with pytest.raises(
        ManifestError, match=r"here: field path: .*many\.jsonl is a folder, expected a file"
    ):
        data.found(tmp_path / "a", "here")
    (tmp_path / "b" / "data").mkdir(parents=True)
    (tmp_path / "b" / "data" / "many.jsonl").write_text("{}")
    assert data.found(tmp_path / "b", "here").sha256


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("text", r"found 'text'; expected one field of the records at least, e\.g\. \{text\}"),
        ("", "expected one field"),
        ("{{text}}", "expected one field"),
        ("{text} {", r"expected braces around names of fields alone \(.*\{\{ or \}\}"),
        ("{text} }", "expected braces around names of fields alone"),
        ("{}", r"expected the name of a field between braces, e\.g\. \{text\}, not \{\}"),
        ("{0}", r"not \{0\}"),
        ("{labels.}", r"not \{labels\.\}"),
        ("{text:d}", "without a format"),
        ("{text!r}", "without a format"),
        ('{"q": {text}}', r"without a format .*\{\{ or \}\}"),
    ],
)
def test_a_template_that_names_no_field_is_refused_when_the_manifest_is_read(
    tmp_path: Path, template: str, expected: str
) -> None:
    with pytest.raises(
        ManifestError, match=r"mine\.yaml: field sources\.notes\.file\.template: .*" + expected
    ) as caught:
        planned(
            tmp_path / "a",
            source=f"{{kind: file, path: data/notes.jsonl, template: {json.dumps(template)}}}",
        )
    assert "\n" not in str(caught.value)
    with pytest.raises(ValidationError, match="template"):
        HubDataset(repository="a/b", revision="c" * 40, template=template)


@pytest.mark.parametrize(
    "template",
    ["{text}", "{labels.domain}: {text}", "{labels[domain]}", "{{{text}}}", "{my words}"],
)
def test_a_template_of_fields_is_accepted_where_it_stands(tmp_path: Path, template: str) -> None:
    """Whether the records have those fields is seen when they are read."""
    assert planned(
        tmp_path / "a",
        source=f"{{kind: file, path: data/notes.jsonl, template: {json.dumps(template)}}}",
    )
    assert HubDataset(repository="a/b", revision="c" * 40, template=template).template == template


NAMES = st.text("abcxyz_ é", min_size=1).filter(lambda name: not name[0].isdigit())


@given(st.lists(st.tuples(st.text("ab {}\n"), NAMES), min_size=1))
def test_a_template_is_taken_apart_as_python_itself_would_fill_it(
    parts: list[tuple[str, str]],
) -> None:
    template = "".join(
        text.replace("{", "{{").replace("}", "}}") + "{" + name + "}" for text, name in parts
    )
    values = {name: f"<{name}>" for _, name in parts}
    filled = "".join(
        text + (values[name] if name else "") for text, name in template_parts(template)
    )
    assert filled == template.format_map(values)


def test_competition_math_is_all_seven_subjects() -> None:
    assert len(load_sources()["competition_math"].data.configurations) == 7  # type: ignore[union-attr]  # a hub set


def hub_set(**said: object) -> Source:
    """A hub set of which this is said besides."""
    return Source(
        id="many", data=HubDataset(repository="a/b", revision="c" * 40, template="{text}", **said)
    )  # type: ignore[arg-type]  # one field a test


def test_a_number_of_records_decides_the_texts_and_a_stated_size_does_not(tmp_path: Path) -> None:
    whole, few, fewer, sized = (
        hub_set(),
        hub_set(records=100),
        hub_set(records=99),
        hub_set(gibibytes=1.5),
    )
    names = [texts_file(tmp_path, source, "any") for source in (whole, few, fewer)]
    assert len(set(names)) == 3
    assert texts_file(tmp_path, sized, "any") == names[0]
    assert (
        identity(sized.model_dump()) == identity(whole.model_dump()) != identity(few.model_dump())
    )


def test_a_set_without_a_number_of_records_keeps_the_name_its_texts_already_have(
    tmp_path: Path,
) -> None:
    assert texts_file(tmp_path, load_sources()["gsm8k"], "any").name == "gsm8k-48c5b15082de.jsonl"


def test_a_cut_set_has_more_texts_than_any_run_of_the_manifests_takes() -> None:
    """A text of it is then never trained on twice: not in B3, and not if a run took nothing else."""
    cut = {
        s.id: s.data.records
        for s in load_sources().values()
        if isinstance(s.data, HubDataset) and s.data.records
    }
    assert "wikipedia" in cut
    taken: list[tuple[int, int]] = []
    for path in sorted(MANIFESTS.glob("*.yaml")):
        if "arms:" not in path.read_text():
            continue
        for run in expand(load_experiment(str(path)), local_environment()):
            for domain, sources in run.domains.items():
                drawn = sum(
                    phase.mixture.get(domain, 0) * phase.steps for phase in run.condition.phases
                )
                needed = (
                    drawn * run.training.sequences_per_step / len(sources) + run.training.heldout
                )
                taken += [(cut[source.id], round(needed)) for source in sources if source.id in cut]
    assert max(needed for _, needed in taken) == 16_016
    assert all(records > 3 * needed for records, needed in taken)
