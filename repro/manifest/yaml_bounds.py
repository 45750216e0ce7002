"""Limit what a YAML file may hold, from its events, before any value is built.

Depth crashes a program (the C composer calls itself for every level), aliases can double the size
with every line, and a number of a million digits takes minutes. No author means to write any of
these.
"""

import re
from typing import Any

import yaml

from repro.manifest.explain import brief

TAG = "tag:yaml.org,2002:"
LARGEST = 2 << 20  # bytes of a file; the project's longest has 40 thousand
DEEPEST = 40  # lists and mappings inside one another
NODES = 200_000  # values once every alias is written out
_DIGITS = 80  # characters of a number
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


def check_events(content: bytes) -> None:
    """Walk the events of a document. Raises yaml.YAMLError at the first place beyond the bounds."""
    open_nodes: list[tuple[str | None, int]] = []
    sizes: dict[str | None, int] = {}
    count = 0
    for event in yaml.parse(content, yaml.CSafeLoader):
        match event:
            case yaml.AliasEvent(anchor=anchor):
                if anchor in [name for name, _ in open_nodes]:
                    raise refused(
                        f"alias *{brief(anchor)[1:-1]} stands inside what it stands for",
                        event.start_mark,
                    )
                # An unknown anchor counts as one: libyaml refuses it when it composes.
                count += sizes.get(anchor, 1)
            case yaml.ScalarEvent(anchor=anchor, value=value):
                if bad := CONTROL.search(value):
                    raise refused(f"the control character {bad[0]!r} in a text", event.start_mark)
                count += 1
                sizes[anchor] = 1
            case yaml.MappingStartEvent(anchor=anchor) | yaml.SequenceStartEvent(anchor=anchor):
                open_nodes.append((anchor, count))
                count += 1
                if len(open_nodes) > DEEPEST:
                    raise refused(
                        f"more than {DEEPEST} lists and mappings inside one another",
                        event.start_mark,
                    )
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                anchor, before = open_nodes.pop()
                sizes[anchor] = count - before
        if count > NODES:
            raise refused(f"more than {NODES:,} values, aliases written out", event.start_mark)


def limit(number: str, mark: Any) -> None:
    """Raise yaml.YAMLError for a number with too many characters."""
    if len(number) > _DIGITS:
        raise refused(f"a number of {len(number):,} characters, expected {_DIGITS} at most", mark)


def refused(problem: str, mark: Any) -> yaml.YAMLError:
    """Return the error for a place in the file."""
    return yaml.constructor.ConstructorError(None, None, problem, mark)
