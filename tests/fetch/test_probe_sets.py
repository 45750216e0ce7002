"""A recipe against a small hub on loopback: twelve invented sources in the formats and fields of
the real ones.
"""

import io
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from repro.files import file_digest
from repro.manifest.data import HubDataset
from repro.manifest.load import MANIFESTS, load_sources
from repro.manifest.probes import PROBES, declared, load_probe_set
from repro.manifest.recipe import RecipeSource, read_recipe
from repro.probecheck import check

FOUND = read_recipe(PROBES / "real_132")
assert FOUND is not None
RECIPE = FOUND
NEWEST = "a" * 40
SMOKE = (MANIFESTS / "smoke.yaml").read_text()
SYLLABLES = [
    "ba",
    "ke",
    "li",
    "mo",
    "nu",
    "ra",
    "se",
    "ti",
    "vo",
    "wu",
    "za",
    "che",
    "dri",
    "fla",
    "gro",
]


def invented(seed: str, sentences: int = 26) -> str:
    """Sentences of five words nobody uses, so that every length can be had and nothing repeats."""
    rng = random.Random(seed)
    words = ["".join(rng.choices(SYLLABLES, k=3)) for _ in range(5 * sentences)]
    return " ".join(" ".join(words[i : i + 5]).capitalize() + "." for i in range(0, len(words), 5))


def records(source: RecipeSource, count: int = 30) -> list[dict[str, Any]]:
    """Records of a source: its fields filled, with the markup its rules take away."""
    marks = {
        "text": "{} So much for the compiler.",
        "body": "<p>{}</p><pre>left out</pre>",
        "conversation": "Teacher: (probing){}|EOM|Student: and so on",
        "dialogue": "Doctor: {}\nPatient: {}",
    }
    made = []
    for number in range(count):
        text = marks.get(source.fields[0], "{}").format(
            *(invented(f"{source.repository}{number}{i}") for i in (0, 1))
        )
        nested: dict[str, dict[str, Any]] = {
            "messages.content": {
                "messages": [
                    {"role": "user", "content": text},
                    {"role": "assistant", "content": "x"},
                ]
            },
            "context.contexts": {"context": {"contexts": [text], "labels": ["BACKGROUND"]}},
        }
        made.append(nested.get(source.fields[0], dict.fromkeys(source.fields, text)))
    return made


def written(held: list[dict[str, Any]], name: str) -> bytes:
    """Records as a file of the kind its name says."""
    if name.endswith(".parquet"):
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(held), sink)
        return sink.getvalue()
    return (
        json.dumps(held) if name.endswith(".json") else "\n".join(map(json.dumps, held))
    ).encode()


@dataclass
class Hub:
    """What the hub holds by repository, what it was asked for, and which revision it answers with."""

    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    address: str = ""

    def answer(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        """/datasets/OWNER/NAME/resolve/REVISION/FILE: the two requests behind one downloaded file."""
        if "/resolve/" not in request.path:
            return 404, {}, b""
        owner, name, _, revision, _ = request.path.removeprefix("/datasets/").split("/", 4)
        self.asked.append(f"{owner}/{name}@{revision}")
        content = self.files[f"{owner}/{name}"]
        commit = self.answers.get(f"{owner}/{name}", NEWEST if revision == "main" else revision)
        return 200, {"ETag": f'"{hash(content) % 10**12}"', "X-Repo-Commit": commit}, content


@pytest.fixture
def hub(helper: Callable[[str], ModuleType]) -> Iterator[Hub]:
    """A hub with all twelve sources."""
    held = Hub(
        {source.repository: written(records(source), source.file) for source in RECIPE.sources}
    )
    with helper("fetch/loopback.py").serving(held.answer) as held.address:
        yield held


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the recipe's folder, without any texts."""
    for name in ("concepts.yaml", "recipe.yaml"):
        (tmp_path / "real_132").mkdir(exist_ok=True)
        shutil.copy(PROBES / "real_132" / name, tmp_path / "real_132" / name)
    return tmp_path / "real_132"


@pytest.fixture
def fetch(repro: Any, hub: Hub, folder: Path, tmp_path: Path) -> Callable[..., Any]:
    """`repro fetch` (or another verb) of a manifest that measures on that folder, from that hub."""
    head, _ = (
        SMOKE.replace("id: smoke", "id: mine").replace("factorial_48", f"'{folder}'").split("arms:")
    )
    arms = "arms:\n  - {models: [tiny-llama], conditions: [B0], seeds: [0]}\n"
    (tmp_path / "mine.yaml").write_text(head.replace("heldout: 4", "heldout: 0") + arms)

    def run(verb: str = "fetch", home: str = "hub", **changes: str) -> Any:
        given = {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        return repro(
            verb,
            str(tmp_path / "mine.yaml"),
            **{**given, "HF_HOME": str(tmp_path / home), **changes},
        )

    return run


def trained_on(source: RecipeSource) -> bool:
    """Whether a manifest's data set reads the same file, or the split it holds."""
    sets = [found.data for found in load_sources().values() if isinstance(found.data, HubDataset)]
    same = [data for data in sets if data.repository == source.repository]
    return any(
        source.file in data.files or (not data.files and data.split in source.file) for data in same
    )


def test_no_probe_comes_from_a_file_that_is_trained_on() -> None:
    assert not [source.file for source in RECIPE.sources if trained_on(source)]
    by_repository = {source.repository: source for source in RECIPE.sources}
    math, wikipedia = (
        by_repository["EleutherAI/hendrycks_math"],
        by_repository["wikimedia/wikipedia"],
    )
    assert trained_on(math.model_copy(update={"file": "algebra/train-00000-of-00001.parquet"}))
    assert trained_on(
        wikipedia.model_copy(update={"file": "20231101.en/train-00000-of-00041.parquet"})
    )


@pytest.mark.worker
def test_the_recipe_becomes_132_texts_that_keep_every_declared_limit(
    fetch: Any, hub: Hub, folder: Path
) -> None:
    planned = fetch("plan")
    assert planned.returncode == 0, "a plan needs no texts"
    done = fetch()
    assert done.returncode == 0, done.stderr
    probes = load_probe_set(folder)
    cells = Counter(tuple(probe.labels.values()) for probe in probes.probes)
    assert (len(probes.probes), set(cells.values()), len(cells)) == (132, {11}, 12)
    assert [f for f in check(probes).findings if f.holds is False] == []
    assert "probing" not in " ".join(probes.texts())
    note = json.loads((folder / "materialised.json").read_text())
    assert note["content_hash"] == probes.content_hash == declared(folder).content_hash
    assert [s["revision"] for s in note["sources"]] == [
        s.revision or NEWEST for s in RECIPE.sources
    ]
    assert len({s["sha256"] for s in note["sources"]}) == 12
    hub.asked.clear()
    assert fetch().returncode == 0
    assert hub.asked == [], "what is here is not fetched again"


@pytest.mark.worker
def test_the_order_of_records_decides_nothing_and_their_content_does(
    fetch: Any, hub: Hub, folder: Path
) -> None:
    hashes: list[str] = []
    for part in (slice(None), slice(None, None, -1), slice(3, None)):
        hub.files = {s.repository: written(records(s)[part], s.file) for s in RECIPE.sources}
        for name in ("probes.jsonl", "materialised.json"):
            (folder / name).unlink(missing_ok=True)
        assert fetch(home=f"hub{len(hashes)}").returncode == 0
        hashes.append(load_probe_set(folder).content_hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_an_unpinned_source_keeps_the_revision_it_was_first_had_at(
    fetch: Any, hub: Hub, folder: Path
) -> None:
    assert fetch().returncode == 0
    before = file_digest(folder / "probes.jsonl")
    (folder / "probes.jsonl").unlink()
    hub.asked.clear()
    assert fetch(home="another").returncode == 0
    assert not [asked for asked in hub.asked if asked.endswith("@main")]
    assert f"hoskinson-center/proofnet@{NEWEST}" in hub.asked
    assert file_digest(folder / "probes.jsonl") == before


@pytest.mark.worker
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answers": {"m-a-p/Code-Feedback": "f" * 40}}, "m-a-p/Code-Feedback@f411b16a97c9"),
        ({"offline": "1"}, "wikimedia/wikipedia@b04c8d1ceb2f"),
        ({"short": True}, "hoskinson-center/proofnet: test.jsonl has texts of 4 of 11 lengths"),
        ({"broken": True}, "test.jsonl cannot be read"),
    ],
    ids=["a revision that moved", "unreachable", "too few texts", "not JSON"],
)
def test_what_cannot_be_had_stops_with_one_line_and_writes_nothing(
    fetch: Any, hub: Hub, folder: Path, change: dict[str, Any], words: str
) -> None:
    hub.answers = change.get("answers", {})
    proofs = next(
        source for source in RECIPE.sources if source.repository == "hoskinson-center/proofnet"
    )
    if "short" in change:
        hub.files[proofs.repository] = written(records(proofs, 4), proofs.file)
    if "broken" in change:
        hub.files[proofs.repository] = b"<html>"
    done = fetch(HF_HUB_OFFLINE=change.get("offline", "0"))
    assert done.returncode == 2
    line = done.stderr.strip().splitlines()[-1]
    assert words in line
    assert "Traceback" not in done.stderr
    assert not (folder / "probes.jsonl").exists()
    refused = fetch("run", HF_HUB_OFFLINE="1")
    assert refused.returncode == 2, "a run without its texts does not start"
