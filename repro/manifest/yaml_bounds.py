"""What a YAML file may hold at most, seen from its events before a single value is built.

Depth ends a program (the C composer calls itself for every level), aliases double with every line what a reader has to
walk, and a number of a million digits takes minutes; none of these is what anybody means to write.
"""

from typing import Any

import yaml

from repro.manifest.explain import brief

TAG = "tag:yaml.org,2002:"
LARGEST = 2 << 20  # bytes of a file; the longest of this project has 40 thousand
DEEPEST = 40  # lists and mappings inside one another
NODES = 200_000  # values once every alias is written out
DIGITS = 80  # characters of a number
CONTROL = {chr(code) for code in (*range(32), *range(127, 160))} - set("\t\n\r\x85")


def check_events(content: bytes) -> None:
    """Walk the events of a document. Raises yaml.YAMLError at the first place beyond the bounds."""
    open_nodes: list[tuple[str | None, int]] = []
    sizes: dict[str | None, int] = {}
    count = 0
    for event in yaml.parse(content, yaml.CSafeLoader):
        match event:
            case yaml.AliasEvent(anchor=anchor):
                if anchor in [name for name, _ in open_nodes]:
                    raise refused(f"alias *{brief(anchor)[1:-1]} stands inside what it stands for", event.start_mark)
                count += sizes.get(anchor, 1)  # libyaml refuses an alias of nothing when it composes
            case yaml.ScalarEvent(anchor=anchor, value=value):
                if bad := CONTROL.intersection(value):
                    raise refused(f"the control character {min(bad)!r} in a text", event.start_mark)
                count += 1
                sizes[anchor] = 1
            case yaml.MappingStartEvent(anchor=anchor) | yaml.SequenceStartEvent(anchor=anchor):
                open_nodes.append((anchor, count))
                count += 1
                if len(open_nodes) > DEEPEST:
                    raise refused(f"more than {DEEPEST} lists and mappings inside one another", event.start_mark)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                anchor, before = open_nodes.pop()
                sizes[anchor] = count - before
        if count > NODES:
            raise refused(f"more than {NODES:,} values, aliases written out", event.start_mark)


def limit(number: str, mark: Any) -> None:
    """Refuse a number of more characters than any has."""
    if len(number) > DIGITS:
        raise refused(f"a number of {len(number):,} characters, expected {DIGITS} at most", mark)


def refused(problem: str, mark: Any) -> yaml.YAMLError:
    """The error for a place of the file."""
    return yaml.constructor.ConstructorError(None, None, problem, mark)
