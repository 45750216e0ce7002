"""JSON Schemas against another reader of them: every YAML file passes its own, and what the
project's reader refuses for a field or a type, the schema refuses too.
"""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yaml

from repro.claims.written import read_block
from repro.errors import InputError, ManifestError
from repro.manifest.experiment import Experiment
from repro.manifest.yaml import read_yaml, validate
from repro.report.export.schema import FILE_KINDS, claims_schema, schema_of
from repro.verify.policy import Policy

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def schemas(helper: Callable[[str], ModuleType]) -> ModuleType:
    """ci/schemas.py."""
    return helper("../ci/schemas.py")


def checker(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.worker
def test_the_schemas_that_are_kept_are_those_that_are_made(schemas: ModuleType) -> None:
    assert [*schemas.stale()] == [], "run `make schemas`"


@pytest.mark.worker
def test_a_changed_schema_or_first_line_is_seen(
    schemas: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/mine.yaml").write_text("id: mine\n")
    monkeypatch.setattr(schemas, "ROOT", tmp_path)
    monkeypatch.setattr(schemas, "SCHEMAS", tmp_path / "manifests/schemas")
    monkeypatch.setattr(schemas, "yaml_files", lambda files=schemas.yaml_files: files(tmp_path))
    assert "manifests/mine.yaml, its first line" in [*schemas.stale()]
    with pytest.raises(SystemExit, match="0"):
        schemas.main()
    first, rest = (tmp_path / "manifests/mine.yaml").read_text().split("\n", 1)
    assert first == "# yaml-language-server: $schema=schemas/manifest.json"
    assert rest == "id: mine\n"
    assert [*schemas.stale()] == []
    (tmp_path / "manifests/schemas/policy.json").write_text("{}")
    assert [*schemas.stale()] == ["manifests/schemas/policy.json"]


@pytest.mark.worker
def test_every_yaml_file_passes_the_schema_that_it_names(schemas: ModuleType) -> None:
    checkers: dict[Path, jsonschema.Draft202012Validator] = {}
    for path, schema in schemas.yaml_files():
        if schema not in checkers:
            checkers[schema] = checker(json.loads(schema.read_text()))
        content = json.loads(json.dumps(read_yaml(path)))  # with keys as JSON has them
        problems = [f"{error.json_path}: {error.message[:200]}" for error in checkers[schema].iter_errors(content)]  # fmt: skip
        assert not problems, f"{path}: {problems[:3]}"
    assert {path.stem for path in checkers} >= FILE_KINDS.keys() - {"cluster"}


@pytest.mark.worker
@pytest.mark.parametrize("kind", FILE_KINDS)
def test_every_schema_is_one_and_refuses_what_is_no_such_file(kind: str) -> None:
    schema = schema_of(kind)
    assert not checker(schema).is_valid("a text")
    assert "$defs" not in schema or json.dumps(schema).count("#/$defs/")


def broken(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the content with one thing wrong at a time."""
    first = next(iter(content))
    return [
        {**content, "no_such_field": 1},
        {**content, first: {"no": ["such", "type"]}},
        {key: value for key, value in content.items() if key != first},
    ]


@pytest.mark.worker
@pytest.mark.parametrize("name", ["smoke", "scale_ladder", "csr_lambda"])
def test_what_the_reader_refuses_of_a_manifest_the_schema_refuses_too(name: str) -> None:
    content, schema = read_yaml(ROOT / f"manifests/{name}.yaml"), checker(schema_of("manifest"))
    assert schema.is_valid(content)
    deep = json.loads(json.dumps(content))
    deep["arms"][0]["sed"] = [1]
    for wrong in (*broken(content), deep, {**content, "threads": 0}):
        assert not schema.is_valid(wrong)
        with pytest.raises(ManifestError):
            validate(Experiment, wrong, "here")


@pytest.mark.worker
def test_a_papers_own_axes_are_fields_of_its_claims_alone() -> None:
    block = {
        "locator": "Table 1",
        "measured_by": "smoke",
        "statements": [{"says": "0.5", "claims": [{"printed": "0.5", "quantity": "glue", "cup": 1}]}],
    }  # fmt: skip
    ours, common = checker(claims_schema(("cup",), "t")), checker(schema_of("claims"))
    assert ours.is_valid([block])
    assert read_block(block, "here", ("cup",))
    assert not common.is_valid([block])
    with pytest.raises(ManifestError):
        read_block(block, "here")


def test_a_paper_is_taken_by_its_id_or_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/paper.yaml").write_text("id: mine\ntitle: t\naxes: [cup]\n")
    fields = schema_of(str(tmp_path / "mine"))["$defs"]["Block"]["properties"]
    assert "cup" in fields
    assert "method" in schema_of("lora")["$defs"]["Block"]["properties"]
    with pytest.raises(InputError, match="nearest is manifest; "):
        schema_of("manifst")


def test_the_policy_of_the_project_names_claims() -> None:
    assert Policy.model_validate(yaml.safe_load((ROOT / "ci/policy.yaml").read_text()))
