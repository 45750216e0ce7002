"""`repro schema [KIND]`: JSON Schema of a kind of YAML file, for an editor."""

import argparse
import json

from repro.cli.verbs import Verbs


def add(verbs: Verbs) -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "schema",
        help="JSON Schema of a kind of YAML file, so that editors complete and check",
        description="Print the JSON Schema of a kind of YAML file; without KIND list the kinds. A "
        "file's first line names its schema: # yaml-language-server: $schema=FILE.json",
    )
    verb.add_argument(
        "kind",
        nargs="?",
        metavar="KIND",
        help="a kind of file; or a paper, by its id or folder: its claims with its own axes",
    )
    verb.set_defaults(run=_schema)


def _schema(arguments: argparse.Namespace) -> int:
    """Print the schema, or the kinds. Raises InputError for an unknown kind."""
    from repro.report.export.schema import FILE_KINDS, schema_of

    if arguments.kind is None:
        width = max(map(len, FILE_KINDS))
        for name, kind in FILE_KINDS.items():
            print(f"{name:{width}}  {kind.says}")
    else:
        print(json.dumps(schema_of(arguments.kind), indent=1, ensure_ascii=False))
    return 0
