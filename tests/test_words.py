"""Hold how docstrings read: a function's opens with a verb, and no line of prose is over 100
columns.

Functions and methods count, properties too; a class or a field is rightly a noun phrase. Only
public names count. `python tests/test_words.py [ROOT]` prints both figures room by room, of this
checkout or another.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 100
VERBS = frozenset(
    re.findall(
        r"\w+",
        """
    accept accumulate add adjust allow anchor answer append apply approve ask assign attach
    audit average batch begin bind bootstrap bring build call cancel capture carry cast catch
    centre change check choose clean clear close collate collect combine compare compile
    complete compose compute configure connect consume contain convert copy correct count create
    cut decide decode decompose define delete derive describe detect determine diagnose discard
    display do download draw drop edit encode end ensure enter escape estimate evaluate exclude
    exit expand explain export express extend extract fail fetch fill filter find finish fit fix
    flush follow force forget form format free freeze gather generate get give grade group guess
    hand handle hash help hide hold identify ignore import include ingest insert inspect install
    interpolate interpret invert iterate join judge keep label lay lend let limit link list load
    locate lock log look lower make map mark mask match measure merge modify move multiply name
    need normalise note offer open order overwrite pack pad parse pass permute pick place plan plant
    point pool post predict prepare print probe project protect prove publish pull push put query
    quote raise randomise rank read rebuild recompute record reduce refuse register reject
    release remember remove rename render repeat replace report request require resample reset
    resolve restore return reuse rewrite rotate round run save say scale scan score seal search
    select send separate set settle share shift shorten show shuffle simulate skip solve sort
    spell split standardise start state step stop store strip submit subtract sum summarise swap
    sweep switch take tell test time total trace train transform translate try turn type unpack
    update use validate verify wait walk warn weigh wrap write yield
""",
    )
)
"""The verbs of the first words; one that is missing here is added here."""
NOT_IN_PROSE = re.compile(r"https?://|#\s*(noqa|type:|fmt:|pragma)")
FLOOR = 0.98
"""Share of docstrings of public functions that open with a verb, over all code.

It may only rise.
"""
DONE = (
    "repro/audit", "repro/claims", "repro/cli", "repro/cost", "repro/diagnose", "repro/evaluate", "repro/evidence",
    "repro/execute", "repro/fetch", "repro/geometry", "repro/machine", "repro/manifest", "repro/measure", "repro/plan",
    "repro/probecheck", "repro/report", "repro/score", "repro/store", "repro/supply",
    "repro/train", "repro/verify", "repro/worker",
    "repro", "bench", "calibration", "ci",
)  # fmt: skip
"""Rooms in which nearly every docstring does, and no line of prose is too long: all there are."""
DONE_FLOOR = 0.98


def opens_with_a_verb(docstring: str) -> bool:
    """Tell a verb in the imperative from a noun: "Count the runs", not "Count of the runs"."""
    words = re.findall(r"[^\s,;:.]+", docstring)[:2]
    return (
        bool(words)
        and words[0].islower() is False
        and words[0].lower() in VERBS
        and words[1:] != ["of"]
    )


def public_docstrings(tree: ast.AST, outer: str = "") -> Iterator[tuple[str, str]]:
    """Yield (name, docstring) of public functions and methods, but of none inside a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_docstrings(node, f"{outer}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
            "_"
        ):
            text = ast.get_docstring(node)
            yield from [(f"{outer}{node.name}", text)] if text else ()


def long_prose(text: str) -> Iterator[int]:
    """Yield the numbers of lines over 100 columns that are docstrings or comments; not those of
    code.
    """
    lines = text.splitlines()
    spans = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    comments = [
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    for number in sorted({*comments, *(number for span in spans for number in span)}):
        if len(lines[number - 1]) > WIDTH and not NOT_IN_PROSE.search(lines[number - 1]):
            yield number


def rooms(root: Path) -> dict[str, list[Path]]:
    """Return the modules of each room: of each package of repro, of repro itself, and of those
    beside it.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(
        path
        for top in ("repro", "bench", "calibration", "ci")
        for path in (root / top).rglob("*.py")
    ):
        parts = path.relative_to(root).parts
        found.setdefault(
            "/".join(parts[: 2 if parts[0] == "repro" and len(parts) > 2 else 1]), []
        ).append(path)
    return found


def share(paths: list[Path]) -> tuple[int, int, list[str]]:
    """Return (docstrings that open with a verb, all docstrings, the others by name)."""
    every = [
        (path, *found)
        for path in paths
        for found in public_docstrings(ast.parse(path.read_text("utf-8")))
    ]
    others = [
        f"{path.name}: {name}: {text.splitlines()[0]}"
        for path, name, text in every
        if not opens_with_a_verb(text)
    ]
    return len(every) - len(others), len(every), others


def test_a_verb_is_told_from_a_noun() -> None:
    for verb in (
        "Return the runs a claim needs.",
        "Judge claims: gather, estimate.",
        "Yield, in order, each run.",
    ):
        assert opens_with_a_verb(verb)
    for noun in (
        "Whether a cell speaks of it.",
        "The runs.",
        "Count of the runs.",
        "1 when it fails.",
        "run it",
        "",
    ):
        assert not opens_with_a_verb(noun)


def test_long_prose_is_found_and_long_code_is_not() -> None:
    long = "x" * WIDTH
    assert [*long_prose(f'"""{long}"""\n\ny = "{long}"\n# {long}\nz = 1  # {long}\n')] == [1, 4, 5]
    assert not [*long_prose(f'"""Short."""\n\ny = "{long}"\n')]


def test_docstrings_open_with_a_verb() -> None:
    verbs, every, _ = share([path for paths in rooms(ROOT).values() for path in paths])
    assert verbs / every >= FLOOR, (
        f"{verbs} of {every} docstrings open with a verb; see tests/test_words.py"
    )


@pytest.mark.worker
@pytest.mark.parametrize("room", DONE)
def test_a_room_that_reads_well_goes_on_doing_so(room: str) -> None:
    held = rooms(ROOT)[room]
    verbs, every, others = share(held)
    assert every
    assert verbs / every >= DONE_FLOOR, "\n".join(
        ["these do not open with a verb of VERBS:", *others]
    )
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in held
        for number in long_prose(path.read_text("utf-8"))
    ]
    assert not long, f"over {WIDTH} columns: {', '.join(long)}"


def main(root: Path) -> None:
    """Print both figures of every room, and of all."""
    total = [0, 0, 0]
    for room, paths in rooms(root).items():
        verbs, every, _ = share(paths)
        long = sum(len([*long_prose(path.read_text("utf-8"))]) for path in paths)
        total = [total[0] + verbs, total[1] + every, total[2] + long]
        print(f"{room:18} {verbs:4} of {every:4} open with a verb; {long:4} long lines of prose")
    print(
        f"{'all':18} {total[0]:4} of {total[1]:4} ({total[0] / total[1]:.0%}); {total[2]:4} long "
        "lines of prose"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ROOT)
