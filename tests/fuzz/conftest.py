"""Inputs nobody meant: whole ones changed a little, at random, each of which is accepted or refused
in one line.

REPRO_FUZZ_SECONDS: how long each kind is tried, its files (`parts`) together (0: a few dozen
inputs, always the same). REPRO_FUZZ_SEED: the first of the seeds, one a round, to try the same
inputs again. What breaks the rule is left under build/fuzz; once it is mended it belongs into
corpus/KIND, which is tried before anything else.
"""

import copy
import json
import os
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from repro.errors import ReproError

SECONDS = float(os.environ.get("REPRO_FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("REPRO_FUZZ_SEED") or (time.time_ns() if SECONDS else 0))
FEW = 25
LONGEST = 10.0  # seconds of a processor that one input may take
CORPUS = Path(__file__).parent / "corpus"
BROKEN = Path(__file__).parents[2] / "build" / "fuzz"
LISTED: list[Any] = [[], [0] * 300, [[]], [None], ["a", "a"], [{"a": 1}]]
MAPPED: list[Any] = [{}, {"a": {}}, {1: 2}, {"kind": "x"}, {"": None}]
SCALAR: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    7,
    2**31,
    2**63,
    -(2**70),
    10**18,
    0.5,
    1e308,
    -1e-320,
    float("nan"),
    float("inf"),
]
WORDS = [
    "",
    " ",
    "a/b",
    "../..",
    "/",
    "~",
    "é" * 50,
    "a\nb",
    "x" * 5000,
    "±",
    "1e5",
    "0x10",
    "NaN",
    "−3",
    "95%",
    "{",
    "{a.b}",
    "%s",
    "*",
    "[",
    "'",
    "2001-13-45",
    "👩‍🔬",
    "\u202e",
    "smoke",
    "null",
    "yes",
]
BYTES = [
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"[" * 200,
    b"{" * 60,
    b"\n",
    b": ",
    b"- ",
    b"&a [*a]\n",
    b"!!int x",
    b"\t",
    b"9" * 400,
    b'"',
    b"\x1b[31m",
    b"PK\x03\x04",
    b"\xef\xbb\xbf",
    b"? ",
    b"<<: ",
    b"1e999",
]


def nested(depth: int) -> list[Any]:
    """Lists inside one another."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


odd = st.one_of(
    st.sampled_from(SCALAR), st.sampled_from(WORDS), st.sampled_from([*LISTED, *MAPPED]).map(copy.deepcopy),
    st.text(max_size=12), st.integers(), st.floats(), st.integers(1, 60).map(nested),
)  # fmt: skip


@st.composite
def changed_tree(draw: st.DrawFn, trees: list[Any]) -> Any:
    """A tree of lists and mappings with one to three places changed: replaced, removed, renamed,
    given twice, moved.
    """
    root = [copy.deepcopy(draw(st.sampled_from(trees)))]
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(root))
        holder, key = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(["replace", "replace", "remove", "rename", "add", "move"]))
        if kind == "replace" or holder is root:
            holder[key] = draw(odd)
        elif kind == "move":
            other, from_ = draw(st.sampled_from(places))
            holder[key] = copy.deepcopy(other[from_])
        elif kind == "remove":
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, draw(odd))
        elif kind == "rename":
            holder[draw(st.sampled_from([*WORDS, 1, None, True]))] = holder.pop(key)
        else:
            holder[draw(st.sampled_from(WORDS))] = draw(odd)
    return root[0]


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """(list or mapping, index or key) of everything below."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], (dict, list)):
            yield from _places(node[key])


@st.composite
def changed_bytes(draw: st.DrawFn, contents: list[bytes]) -> bytes:
    """A file with one to four stretches replaced, removed, repeated or put elsewhere."""
    content = draw(st.sampled_from(contents))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        stop = min(len(content), start + draw(st.sampled_from([0, 1, 1, 2, 8, 64, 1000])))
        put = draw(
            st.one_of(
                st.just(b""),
                st.binary(max_size=8),
                st.sampled_from(BYTES),
                st.just(content[start:stop] * 2),
            )
        )
        content = content[:start] + put + content[stop:]
    return content


def dumped(tree: Any) -> bytes:
    """A tree as YAML."""
    text: str = yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    return text.encode("utf-8", "replace")


def as_yaml(trees: list[Any]) -> st.SearchStrategy[bytes]:
    """Changed trees as YAML, and changed bytes of the same files."""
    whole = [dumped(tree) for tree in trees]
    written = changed_tree(trees).map(dumped)
    return st.one_of(written, written, changed_bytes(whole))


def as_json(contents: list[bytes]) -> st.SearchStrategy[bytes]:
    """Changed trees as JSON, and changed bytes of the same files."""
    trees = [json.loads(content) for content in contents]
    written = changed_tree(trees).map(
        lambda tree: json.dumps(tree, default=str, skipkeys=True).encode()
    )
    return st.one_of(written, changed_bytes(contents))


Judge = Callable[[bytes], object]


@pytest.fixture
def fuzz() -> Callable[..., None]:
    """Try a judge on the corpus of a kind, then on changed inputs: each is accepted, or refused in
    one printable line.
    """

    def run(kind: str, inputs: st.SearchStrategy[Any], judge: Judge, parts: int = 1) -> None:
        counts = {"inputs": 0, "accepted": 0}

        def one(content: Any) -> None:
            begin = time.process_time()
            counts["inputs"] += 1
            try:
                judge(content)
                counts["accepted"] += 1
            except ReproError as error:
                text = str(error)
                assert text
                assert text.isprintable()
                assert len(text) < 20_000
            except BaseException:
                keep(kind, content)
                raise
            assert time.process_time() - begin < LONGEST, kind

        for path in sorted((CORPUS / kind).glob("*")):
            one(path.read_bytes())
        assert counts["accepted"] == 0, f"{kind}: the corpus holds inputs that are to be refused"
        tried = settings(
            max_examples=50 if SECONDS else FEW,
            deadline=None,
            database=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            phases=[Phase.generate],
        )
        end = time.monotonic() + SECONDS / parts
        for round_ in count(SEED):
            seed(round_)(tried(given(inputs)(one)))()
            if time.monotonic() >= end:
                break
        if SECONDS:
            BROKEN.mkdir(parents=True, exist_ok=True)
            with (BROKEN / "counts.txt").open("a") as file:
                file.write(
                    f"{kind}: {counts['inputs']} inputs, {counts['accepted']} accepted, first "
                    f"seed {SEED}\n"
                )

    return run


def keep(kind: str, content: Any) -> None:
    """Leave an input that broke the rule where it can be found."""
    if isinstance(content, bytes):
        folder = BROKEN / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / sha256(content).hexdigest()[:12]).write_bytes(content)


@pytest.fixture
def strategies() -> dict[str, Callable[..., st.SearchStrategy[Any]]]:
    """How inputs are changed, by what they are."""
    return {"yaml": as_yaml, "bytes": changed_bytes, "json": as_json}
