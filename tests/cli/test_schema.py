"""`repro schema` as a user meets it."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

from repro.report.export.schema import FILE_KINDS, schema_of


def test_the_command_prints_a_schema_or_lists_the_kinds(
    repro: Callable[..., CompletedProcess[str]],
) -> None:
    assert json.loads(repro("schema", "policy").stdout) == schema_of("policy")
    assert [line.split()[0] for line in repro("schema").stdout.splitlines()] == [*FILE_KINDS]
    refused = repro("schema", "polisy")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
