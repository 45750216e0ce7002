"""The bounds of a YAML file hold exactly: what lies on them passes, and one more is refused."""

import pytest
import yaml

from repro.manifest.yaml_bounds import DEEPEST, NODES, check_events, limit


def nested(depth: int) -> bytes:
    """Lists inside one another."""
    return b"[" * depth + b"]" * depth


def test_lists_may_be_as_deep_as_the_bound_and_no_deeper() -> None:
    check_events(nested(DEEPEST))
    check_events(b"[" + b",".join([nested(DEEPEST - 1)] * 3) + b"]")
    with pytest.raises(yaml.YAMLError, match="more than 40 lists and mappings inside one another"):
        check_events(nested(DEEPEST + 1))


def test_values_are_counted_with_every_alias_written_out() -> None:
    """A list of 99 texts is 100 values; 1,999 of it, 99 texts and the whole list are the number."""
    assert NODES == 200_000
    first = "- &a [" + ", ".join(["x"] * 99) + "]\n"
    full = first + "- *a\n" * 1998 + "- x\n" * 99
    check_events(full.encode())
    with pytest.raises(yaml.YAMLError, match="more than 200,000 values, aliases written out"):
        check_events((full + "- x\n").encode())


@pytest.mark.parametrize("content", [b"a: &a [*a]", b"a: &a {b: [{c: *a}]}"])
def test_an_alias_inside_what_it_stands_for_is_refused(content: bytes) -> None:
    with pytest.raises(yaml.YAMLError, match=r"alias \*a stands inside what it stands for"):
        check_events(content)


def test_the_place_of_what_is_refused_is_told() -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        check_events(b'a: 1\nb:\n  - "x\\e"\n')
    mark = caught.value.problem_mark  # type: ignore[attr-defined]  # of a marked error
    assert (mark.line, mark.column) == (2, 4)


@pytest.mark.parametrize("sign", ["\\0", "\\a", "\\e", "\\x7f", "\\x9b"])
def test_a_control_character_in_a_text_is_refused_even_when_it_is_spelled(sign: str) -> None:
    with pytest.raises(yaml.YAMLError, match=r"the control character .* in a text"):
        check_events(f'a: "{sign}"'.encode())
    check_events('a: "tab\\t, line\\n, next\\N, é λ 😀"'.encode())


def test_a_number_may_have_eighty_characters() -> None:
    limit("9" * 80, None)
    with pytest.raises(yaml.YAMLError, match="a number of 1,081 characters, expected 80 at most"):
        limit("9" * 1081, None)
