"""The YAML of claims is a record: it has a JSON Schema, its own axes are fields, its fields hint at
one another.
"""

from typing import Any

import pytest
import yaml

from repro.claims.papers import PAPERS
from repro.claims.written import block_record, read_block
from repro.errors import ManifestError
from repro.manifest.yaml import read_yaml


@pytest.mark.worker
def test_every_shipped_block_holds_only_what_the_schema_knows() -> None:
    for file in sorted(PAPERS.rglob("*.yaml")):
        if file.name == "paper.yaml":
            continue
        axes = tuple(
            read_yaml(
                next(p for p in file.parents if (p / "paper.yaml").is_file()) / "paper.yaml"
            ).get("axes", ())
        )
        known = block_record(axes).model_json_schema()["properties"]
        content = read_yaml(file)
        for block in content if isinstance(content, list) else [content]:
            assert set(block) <= set(known), file


def test_the_schema_says_what_each_field_holds() -> None:
    schema = block_record(("cup",)).model_json_schema()
    assert schema["required"] == ["locator"]
    assert schema["additionalProperties"] is False
    assert "cup" in schema["properties"]
    claim = schema["$defs"]["Claim"]
    assert claim["required"] == ["printed"]
    assert {"spread", "parts", "about", "decimal"} <= set(claim["properties"])
    assert "se" in str(schema["$defs"]["WrittenSpread"]["properties"]["kind"])


CLAIM: dict[str, Any] = {"printed": "1", "quantity": "q"}


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({**CLAIM, "seed": True}, "found True"),
        ({**CLAIM, "sign": 2}, "field statements.0.claims.0.sign"),
        ({**CLAIM, "spread": {"kind": "sem"}}, "spread"),
        ({**CLAIM, "of": "averge"}, "nearest is mean"),
        ({**CLAIM, "of": {"mdoel": "a"}}, "mdoel: unknown; nearest is model"),
        ({**CLAIM, "cupp": 1}, "nearest is cup; .*declare a new axis"),
        ({**CLAIM, "where": {"belo": 1}}, "belo: unknown; nearest is below"),
        ({"quantity": "q"}, "printed: missing"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_its_place(
    claim: dict[str, Any], message: str
) -> None:
    block = {"locator": "Table 1", "statements": [{"says": "1", "claims": [claim]}]}
    with pytest.raises(ManifestError, match=message):
        read_block(yaml.safe_load(yaml.safe_dump(block)), "here", ("cup",))
