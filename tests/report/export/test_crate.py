"""The crate against what its profile requires: every MUST of Workflow Run Crate 0.5, and of those it
inherits (Process Run Crate 0.5, Workflow RO-Crate 1.0, RO-Crate 1.1), checked here in plain Python.

roc-validator, which checks the same from the profiles' own shapes, needs an older rich than the
package does and fetches contexts from the web; docs/results/crate.md says what it found.
"""

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from repro.cli import main
from repro.store.ingest import ingest

METADATA = "ro-crate-metadata.json"
Graph = dict[str, dict[str, Any]]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def ids(entity: dict[str, Any], key: str) -> list[str]:
    return [one["@id"] for one in listed(entity.get(key)) if isinstance(one, dict)]


def typed(entity: dict[str, Any], kind: str) -> bool:
    return kind in listed(entity.get("@type"))


def broken(crate: Path) -> Iterator[str]:
    """Yield every MUST that a crate's folder breaks."""
    content = json.loads((crate / METADATA).read_text("utf-8"))
    graph: Graph = {entity["@id"]: entity for entity in content["@graph"]}
    if "https://w3id.org/ro/crate/1.1/context" not in listed(content["@context"]):
        yield "context of RO-Crate"
    about, root = graph.get(METADATA, {}), graph.get("./", {})
    if not typed(about, "CreativeWork") or ids(about, "about") != ["./"]:
        yield "metadata descriptor"
    if not any(at.startswith("https://w3id.org/ro/crate/1.1") for at in ids(about, "conformsTo")):
        yield "version of RO-Crate"
    yield from _of_root(graph, root)
    yield from _of_workflow(graph, root)
    yield from _of_files(crate, graph, root)
    actions = [entity for entity in graph.values() if typed(entity, "CreateAction")]
    if any(len(ids(action, "instrument")) != 1 or ids(action, "instrument")[0] not in graph for action in actions):  # fmt: skip
        yield "an action without its instrument"
    if not any(ids(action, "instrument") == ids(root, "mainEntity") for action in actions):
        yield "no action executes the main workflow"
    for entity in graph.values():
        if typed(entity, "FormalParameter") and "additionalType" not in entity:
            yield "a formal parameter without its type"


def _of_root(graph: Graph, root: dict[str, Any]) -> Iterator[str]:
    if not typed(root, "Dataset"):
        yield "root data entity"
    for field in ("name", "description", "datePublished", "license"):
        if not root.get(field):
            yield f"root without {field}"
    datetime.fromisoformat(root.get("datePublished", "none"))
    profiles = [at for at in ids(root, "conformsTo") if typed(graph.get(at, {}), "CreativeWork")]
    for kind in ("process", "workflow"):
        if f"https://w3id.org/ro/wfrun/{kind}/0.5" not in profiles:
            yield f"profile {kind} run crate"


def _of_workflow(graph: Graph, root: dict[str, Any]) -> Iterator[str]:
    workflow = graph.get(*ids(root, "mainEntity"), {}) if ids(root, "mainEntity") else {}
    if not all(typed(workflow, k) for k in ("File", "SoftwareSourceCode", "ComputationalWorkflow")):
        yield "main workflow"
    if not workflow.get("name"):
        yield "name of the main workflow"
    language = [graph.get(at, {}) for at in ids(workflow, "programmingLanguage")]
    if not any(typed(one, "ComputerLanguage") for one in language):
        yield "language of the main workflow"


def _of_files(crate: Path, graph: Graph, root: dict[str, Any]) -> Iterator[str]:
    """Every data entity is reached from the root and is there; every file is a data entity."""
    reached, waiting = set[str](), ids(root, "hasPart")
    while waiting:
        at = waiting.pop()
        if at not in reached:
            reached.add(at)
            waiting += ids(graph.get(at, {}), "hasPart")
    data = {at for at, one in graph.items() if typed(one, "File") or typed(one, "Dataset")}
    for at in sorted(data - {"./"}):
        if at not in reached:
            yield f"{at} is not reached from the root"
        if not (crate / at).exists():
            yield f"{at} is not there"
        digest = graph[at].get("sha256")
        file = crate / at
        if digest and file.is_file() and digest != hashlib.sha256(file.read_bytes()).hexdigest():
            yield f"{at} is another file"
    there = {path.relative_to(crate).as_posix() for path in crate.rglob("*") if path.is_file()}
    if beside := there - data - {METADATA}:
        yield f"{sorted(beside)[0]} is described nowhere"


@pytest.fixture(scope="module")
def crate(evidence: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("crates") / "laptop"
    assert main(["crate", "laptop", "--results", str(evidence), "--out", str(out)]) == 3
    return out


def test_the_crate_breaks_no_must_of_its_profile(crate: Path) -> None:
    assert [*broken(crate)] == []


def without(entity: str, key: str) -> Callable[[Graph], None]:
    def change(graph: Graph) -> None:
        del graph[entity][key]

    return change


def renamed(graph: Graph) -> None:
    for entity in graph.values():
        if typed(entity, "CreateAction"):
            entity["instrument"] = {"@id": "#repro"}


CHANGES: dict[str, Callable[[Graph], None]] = {
    "root without license": without("./", "license"),
    "root without name": without("./", "name"),
    "profile workflow run crate": without("./", "conformsTo"),
    "main workflow": without("./", "mainEntity"),
    "language of the main workflow": without("manifest/laptop.yaml", "programmingLanguage"),
    "verdicts.json is not reached from the root": lambda graph: graph["./"]["hasPart"].remove(
        {"@id": "verdicts.json"}
    ),
    "verdicts.json is described nowhere": lambda graph: graph["verdicts.json"].update(
        {"@type": "CreativeWork"}
    ),
    "an action without its instrument": without("#verify", "instrument"),
    "no action executes the main workflow": renamed,
    "manifest/laptop.yaml is another file": lambda graph: graph["manifest/laptop.yaml"].update(
        sha256="0" * 64
    ),
    "version of RO-Crate": without(METADATA, "conformsTo"),
    "metadata descriptor": without(METADATA, "about"),
}


@pytest.mark.parametrize("must", CHANGES)
def test_each_broken_must_is_seen(must: str, crate: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(crate, tmp_path / "changed")
    content = json.loads((changed / METADATA).read_text("utf-8"))
    CHANGES[must]({entity["@id"]: entity for entity in content["@graph"]})
    (changed / METADATA).write_text(json.dumps(content), "utf-8")
    assert must in [*broken(changed)]


def test_the_crate_is_evidence_again(
    crate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its results/ is a results folder, and its verdicts are what verify says of that."""
    results = shutil.copytree(crate / "results", tmp_path / "results")
    assert ingest(results).runs == 2
    capsys.readouterr()
    main(["verify", "laptop", "--json", "--results", str(results)])
    told = json.loads(capsys.readouterr().out)
    assert json.loads((crate / "verdicts.json").read_text("utf-8")) == told


def test_an_action_says_when_and_how_a_run_ended(crate: Path) -> None:
    content = json.loads((crate / METADATA).read_text("utf-8"))
    actions = [one for one in content["@graph"] if one["@id"].startswith("#run-")]
    assert len(actions) == 2
    for action in actions:
        begun, ended = (datetime.fromisoformat(action[key]) for key in ("startTime", "endTime"))
        assert begun < ended
        assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
        folder = crate / action["result"]["@id"]
        assert json.loads((folder / "done.json").read_text())["run"] == action["@id"].removeprefix("#run-")  # fmt: skip


def test_a_zip_holds_the_same_files_and_its_folders(
    crate: Path, evidence: Path, tmp_path: Path
) -> None:
    out = tmp_path / "l.zip"
    main(["crate", "laptop", "--results", str(evidence), "--out", str(out)])
    with zipfile.ZipFile(out) as archive:
        names = set(archive.namelist())
    assert {p.relative_to(crate).as_posix() for p in crate.rglob("*") if p.is_file()} <= names
    assert any(re.fullmatch(r"results/runs/laptop/[\w.-]+/", name) for name in names)
    assert [*tmp_path.iterdir()] == [out]
