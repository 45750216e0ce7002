"""A paper is a folder anywhere: the same checks and verdicts wherever it and its manifest lie."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from repro.claims.papers import load_claims, load_paper, own_papers, paper_folders, papers_beside
from repro.errors import ManifestError
from repro.manifest.load import MANIFESTS
from repro.verify.needs import instead

Command = Callable[..., CompletedProcess[str]]
CLAIMS = """
- locator: Expectations
  measured_by: {measured_by}
  model: tiny-qwen2
  step: 4
  statements:
    - says: "EI ends below 1 for two seeds"
      quantity: entanglement_intensity
      condition: B1
      claims:
        - {{printed: "below 1", statistic: all, over: seed, among: [0, 1], where: {{below: 1}}}}
        - {{printed: "two", statistic: count}}
"""


def write_paper(folder: Path, measured_by: str = "tides") -> Path:
    """A paper whose claims a manifest of the user's own measures."""
    folder.mkdir(parents=True)
    (folder / "paper.yaml").write_text(f"id: {folder.name}\ntitle: mine\n")
    (folder / "claims.yaml").write_text(CLAIMS.format(measured_by=measured_by))
    return folder


def write_manifest(file: Path) -> Path:
    """A small manifest under a name of its own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((MANIFESTS / "smoke.yaml").read_text().replace("id: smoke", f"id: {file.stem}"))
    return file


def verdicts(done: CompletedProcess[str]) -> Any:
    assert done.returncode == 3, done.stderr
    return json.loads(done.stdout)


def test_a_verdict_is_the_same_wherever_paper_and_manifest_lie(
    repro: Command, tmp_path: Path
) -> None:
    write_paper(tmp_path / "manifests" / "papers" / "tides_claims")
    write_manifest(tmp_path / "manifests" / "tides.yaml")
    inside = verdicts(repro("verify", "tides", "--json"))
    assert "of the" in inside["claims"][0]["reason"], "it says which runs it would take"
    assert inside == verdicts(repro("verify", "tides_claims", "--json"))
    shutil.move(tmp_path / "manifests", tmp_path / "elsewhere")
    shutil.copy(tmp_path / "elsewhere" / "tides.yaml", tmp_path / "tides.yaml")
    for asked in (
        ("elsewhere/papers/tides_claims",),
        ("tides.yaml", "--papers", "elsewhere/papers/tides_claims"),
        ("elsewhere/tides.yaml",),
    ):
        assert verdicts(repro("verify", *asked, "--json")) == inside, asked


def footer(done: CompletedProcess[str]) -> str:
    """The command for one claim that `repro verify` ends with."""
    found = re.search(r"`(repro explain [^`]*CLAIM)`", " ".join(done.stdout.split()))
    assert found, done.stdout
    return found[1]


@pytest.mark.parametrize("folder", ["mine", "far off/mine"])
def test_the_footer_of_verify_names_a_command_that_works(
    repro: Command, tmp_path: Path, folder: str
) -> None:
    write_paper(tmp_path / folder, "smoke")
    asked: tuple[tuple[str, ...], ...] = ((f"./{folder}",), ("--papers", folder), ("mine", "--papers", folder))  # fmt: skip
    for options in asked:
        told = footer(repro("verify", *options))
        assert told == f"repro explain --papers {shlex.quote(folder)} CLAIM"
        words = shlex.split(told.replace("CLAIM", "mine/expectations/two"))
        explained = repro(*words[1:])
        assert explained.returncode == 0, explained.stderr
        assert "mine/expectations/two" in explained.stdout
    refused = repro("explain", "mine/expectations/two")
    assert refused.returncode == 2
    assert "--papers DIR" in refused.stderr
    assert footer(repro("verify", "smoke")) == "repro explain CLAIM"
    write_paper(tmp_path / Path(folder).parent / "other", "smoke")
    several = footer(repro("verify", "--papers", str(Path(folder).parent)))
    assert tmp_path / shlex.split(several)[3] == tmp_path / Path(folder).parent


def test_where_both_have_one_name_it_is_the_manifest(repro: Command, tmp_path: Path) -> None:
    write_paper(tmp_path / "smoke", "smoke")
    named = verdicts(repro("verify", "smoke", "--json"))
    assert "Expectations" not in {claim["locator"] for claim in named["claims"]}
    folder = verdicts(repro("verify", "./smoke", "--json"))
    assert {claim["locator"] for claim in folder["claims"]} == {"Expectations"}
    assert folder == verdicts(repro("verify", "--papers", "smoke", "--json"))


def test_names_that_are_none_are_one_line(repro: Command, tmp_path: Path) -> None:
    write_paper(tmp_path / "own", "no_such_manifest")
    for asked, words in (
        (("verify", "nothing"), "no such manifest or paper"),
        (("verify", "./nothing"), "is no folder"),
        (("verify", "--papers", "own"), "no manifest is called 'no_such_manifest'"),
        (("audit", "nothing"), "no such paper"),
    ):
        refused = repro(*asked)
        assert refused.returncode == 2
        assert words in refused.stderr
        assert "announced" not in refused.stderr
        assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "place", ["beside the paper", "in its folder", "above papers/", "in a folder beside", "by path"]
)
def test_a_manifest_is_found_beside_its_paper(place: str, tmp_path: Path) -> None:
    name = f"tides_{'_'.join(place.split()).strip('/')}".replace("/", "")
    folder = tmp_path / ("papers/mine" if "papers" in place else "mine")
    files = {
        "beside the paper": tmp_path, "in its folder": folder, "above papers/": tmp_path,
        "in a folder beside": tmp_path / "runs", "by path": tmp_path / "far" / "off",
    }  # fmt: skip
    write_paper(folder, f"../far/off/{name}.yaml" if place == "by path" else name)
    if place != "by path":
        with pytest.raises(ManifestError, match="no manifest is called"):
            load_paper(folder)
    file = write_manifest(files[place] / f"{name}.yaml")
    claims = load_paper(folder).claims
    assert {claim.measured_by for claim in claims} == {name}
    assert [instead(claim) for claim in claims] == ["", ""], "its runs would decide them"
    if place != "by path":
        assert papers_beside(str(file)) == (folder,), "so that they are sealed before it is run"


def test_two_manifests_of_one_name_are_refused(tmp_path: Path) -> None:
    for side in ("left", "right"):
        write_paper(tmp_path / side / f"paper_{side}", "twice")
        write_manifest(tmp_path / side / "twice.yaml")
    load_paper(tmp_path / "left" / "paper_left")
    assert load_paper(tmp_path / "right" / "paper_right").claims, "a copy is the same manifest"
    (tmp_path / "right" / "twice.yaml").write_text(
        (tmp_path / "left" / "twice.yaml").read_text() + "# other\n"
    )
    with pytest.raises(ManifestError, match="two manifests are called 'twice'"):
        load_paper(tmp_path / "right" / "paper_right")


def test_a_broken_paper_of_the_working_folder_does_not_stop_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from repro.measure.published import published_pairs

    before = list(published_pairs())
    broken = write_paper(tmp_path / "manifests" / "papers" / "broken")
    (broken / "claims.yaml").write_text("- locator: [")
    monkeypatch.chdir(tmp_path)
    assert list(published_pairs()) == before
    assert before
    with pytest.raises(ManifestError, match="broken"):
        load_claims((broken,))


@pytest.mark.worker
def test_the_examples_are_read_only_when_they_are_asked_for() -> None:
    names = {"lora", "domainbed", "codata"}
    assert not names & {paper.id for paper in own_papers()}
    asked = load_claims(tuple(MANIFESTS / "papers" / name for name in sorted(names)))
    assert names <= {claim.source for claim in asked}
    for name in names:
        paper = load_paper(MANIFESTS / "papers" / name)
        assert len(paper.claims) >= 60
        assert paper.notes["source"]
        assert paper.notes["read"]


def test_a_folder_of_papers_is_each_of_them(tmp_path: Path) -> None:
    first, second = (write_paper(tmp_path / name, "smoke") for name in ("a", "b"))
    assert paper_folders(tmp_path) == (first, second)
    assert paper_folders(first) == (first,)
    (tmp_path / "a" / "empty").mkdir()
    with pytest.raises(ManifestError, match=r"holds no paper\.yaml"):
        paper_folders(tmp_path / "a" / "empty")
