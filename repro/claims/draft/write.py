"""Write drafted blocks as YAML, tables drawn as tables."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from repro.claims.draft.block import Block
from repro.claims.table import parse_table
from repro.errors import ManifestError, first_line
from repro.manifest.yaml_bounds import check_events

_HEAD = """\
# A draft of {count} from {name}: every cell as it is printed, nothing decided.
# Put it into a folder of its own, with a paper.yaml beside it (docs/your_paper.md):
#     id: the folder's name
#     title: the paper's
#     axes: [{axes}]
# Then answer each block's questions and remove its field `draft`. Until then audit, verify and judge refuse it.
"""


class _Literal(str):
    """A text that is written on lines of its own."""


class _Dumper(yaml.SafeDumper):
    """Writes tables as they are drawn."""


_Dumper.add_representer(
    _Literal,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|"),
)


def write_draft(blocks: Sequence[Block], name: str) -> str:
    """Return the YAML of a draft. Raises ManifestError where a table would come back changed."""
    axes = dict.fromkeys(axis for block in blocks for axis in _axes(block))
    head = _HEAD.format(
        count="1 table" if len(blocks) == 1 else f"{len(blocks)} tables",
        name=Path(name).name,
        axes=", ".join(axes),
    )
    content = [
        {"draft": list(block.questions), "locator": block.locator, "keys": block.keys, "columns": block.columns,
         **({"ignore": block.ignore} if block.ignore else {}),
         "table": _Literal(block.table)}
        for block in blocks
    ]  # fmt: skip
    text = head + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    try:
        check_events(text.encode())
        back = [block["table"] for block in yaml.load(text, Loader=yaml.CSafeLoader)]
    except yaml.YAMLError as error:
        raise ManifestError(
            f"{name}: no draft can hold its tables ({first_line(error)}); remove that from "
            "the source"
        ) from None
    if [parse_table(table, name) for table in back] != [
        parse_table(block.table, name) for block in blocks
    ]:
        raise ManifestError(
            f"{name}: a cell holds characters that YAML changes; remove them from the source"
        )
    return text


def _axes(block: Block) -> list[str]:
    return [*block.keys.values(), *(axis for levels in block.columns.values() for axis in levels)]
