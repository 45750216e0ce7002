"""`repro verify` and `repro explain` as a user meets them: exit codes, JSON keys, clear refusals."""

import argparse
import csv
import io
import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest

from repro.claims.papers import load_claims
from repro.cli import verify as family
from repro.errors import InputError, ManifestError
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.store.database import NAME, create
from repro.verify.verdict import OUTCOMES

Command = Callable[[Sequence[str]], int]
Repro = Callable[..., subprocess.CompletedProcess[str]]
Said = pytest.CaptureFixture[str]
KEYS = {"id", "source", "locator", "printed", "value", "kind", "outcome", "estimate", "low", "high", "n", "z", "p", "p_holm",
        "minimum_detectable", "tolerance", "reason", "could_tell", "audit", "artefacts", "basis", "grade"}  # fmt: skip


@pytest.fixture
def command(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("REPRO_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("REPRO_CACHE", str(cache))

    def run(arguments: Sequence[str]) -> int:
        top = argparse.ArgumentParser()
        family.add(top.add_subparsers(dest="verb"))
        given = top.parse_args(arguments)
        code: int = given.run(given)
        return code

    return run


def store_in(folder: Path, *, value: float, sealed: bool = True) -> None:
    """A store with one run of the ladder's 7B model, whose EI after training is `value`."""
    folder.mkdir()
    claims = {
        claim.id: claim.digest for claim in load_claims() if claim.measured_by == "scale_ladder"
    }
    runs = expand(load_experiment("scale_ladder"), local_environment())
    key = json.dumps(next(run for run in runs if run.model.id == "qwen2.5-coder-7b").key())
    with duckdb.connect(str(folder / NAME)) as connection:
        create(connection)
        for seed in (0, 1, 42):
            connection.execute(
                "INSERT INTO runs (run_id, experiment, slot, model, condition, seed, "
                "status, steps, folder, claims, key) "
                "VALUES (?, 'scale_ladder', ?, 'qwen2.5-coder-7b', 'B3', ?, 'done', 5000, '', "
                "?, ?)",
                [
                    f"r{seed}",
                    f"r{seed}",
                    seed,
                    json.dumps(claims if sealed else dict.fromkeys(claims, "another")),
                    key,
                ],
            )
            for step, number in ((0, 0.945), (5000, value + seed * 1e-4)):
                connection.execute(
                    "INSERT INTO measurements (run_id, step, quantity, specification, "
                    "layer, value, n) "
                    "VALUES (?, ?, 'entanglement_intensity', 'default', 'post_norm', ?, 48)",
                    [f"r{seed}", step, number],
                )


def test_json_lists_every_claim_with_the_contracts_keys(command: Command, capsys: Said) -> None:
    assert command(["verify", "--json"]) in (1, 3)
    content = json.loads(capsys.readouterr().out)
    assert set(content) == {"claims", "counts"}
    assert [claim["id"] for claim in content["claims"]] == [claim.id for claim in load_claims()]
    assert all(set(claim) == KEYS for claim in content["claims"])
    assert {basis: tuple(outcomes) for basis, outcomes in content["counts"].items()} == OUTCOMES
    assert sum(sum(outcomes.values()) for outcomes in content["counts"].values()) == len(
        content["claims"]
    )


def test_a_name_restricts_to_the_claims_that_manifest_measures(
    command: Command, capsys: Said
) -> None:
    assert command(["verify", "scale_ladder", "--json"]) in (1, 3)
    shown = {claim["id"] for claim in json.loads(capsys.readouterr().out)["claims"]}
    assert shown == {claim.id for claim in load_claims() if claim.measured_by == "scale_ladder"}


def test_an_unknown_manifest_is_refused(command: Command) -> None:
    with pytest.raises(ManifestError, match="no such manifest"):
        command(["verify", "nothing_of_that_name"])


def test_without_a_store_what_needs_runs_is_not_run_and_says_what_it_would_take(
    command: Command, capsys: Said
) -> None:
    assert command(["verify", "scale_ladder", "--json"]) in (1, 3)
    claims = json.loads(capsys.readouterr().out)["claims"]
    means = [claim for claim in claims if claim["kind"] == "seed_mean"]
    assert {claim["outcome"] for claim in means} == {"not_run"}
    unpriced = [claim["reason"] for claim in means if "GPU-hours" not in claim["reason"]]
    assert set(unpriced) == {"the runs do not measure steps_after_collapse"}
    assert len(means) > 10 * len(unpriced)


@pytest.mark.worker
def test_measured_claims_are_judged_and_kept_in_the_store(
    command: Command, tmp_path: Path, capsys: Said
) -> None:
    store_in(tmp_path / "results", value=5.0)
    assert (
        command(["verify", "scale_ladder", "--trust-store", "--junit", str(tmp_path / "v.xml")])
        == 1
    )
    assert "✗" in capsys.readouterr().out
    assert ET.parse(tmp_path / "v.xml").getroot().tag == "testsuites"
    with duckdb.connect(str(tmp_path / "results" / NAME), read_only=True) as connection:
        (contradicted,) = connection.execute(
            "SELECT count(*) FROM verdicts WHERE outcome = 'contradicted'"
        ).fetchone()
        (kept,) = connection.execute("SELECT count(*) FROM claims").fetchone()
    assert contradicted >= 1
    assert kept == len([claim for claim in load_claims() if claim.measured_by == "scale_ladder"])
    assert command(["verify", "scale_ladder", "--trust-store"]) == 1, (
        "verifying twice replaces the rows"
    )


def test_changed_tolerances_end_with_one_clear_line(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    from repro.cli import main

    monkeypatch.setenv("REPRO_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("REPRO_CACHE", str(cache))
    store_in(tmp_path / "results", value=0.6, sealed=False)
    assert main(["verify", "scale_ladder", "--trust-store"]) == 2
    error = capsys.readouterr().err.strip()
    assert "changed after their evidence was planned" in error
    assert "\n" not in error


def test_explain_takes_the_end_of_an_id(command: Command, capsys: Said) -> None:
    assert command(["explain", "table-2/mean-qwen-7b-ei-after"]) == 0
    assert "NOT RUN" in capsys.readouterr().out


def test_explain_says_that_no_run_can_change_what_an_architecture_is(
    command: Command, capsys: Said
) -> None:
    assert command(["explain", "selective/s8/sliding-window-attention"]) == 0
    text = capsys.readouterr().out
    assert "the real architecture is otherwise" in text
    assert "No run" in text
    assert command(["explain", "table-2/mean-qwen-7b-ei-after"]) == 0
    assert "No run" not in capsys.readouterr().out


def test_explain_names_the_nearest_claims_for_a_wrong_one(command: Command) -> None:
    with pytest.raises(InputError, match="nearest is consolidated"):
        command(["explain", "consolidated/table-2/mean-qwen-7b-ei-aftre"])


def test_explain_takes_one_number_of_a_print_with_several(command: Command, capsys: Said) -> None:
    """And a whole print before it: what prints 0.641 alone is not hidden by 0.641 ± 0.099."""
    assert command(["explain", "0.641"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("consolidated/abstract/mean-0.641-+--0.099" in line for line in lines)
    with pytest.raises(InputError, match="no claim has this id or prints this"):
        command(["explain", "0.6411"])


def test_explain_lists_every_claim_whose_id_ends_as_asked(command: Command, capsys: Said) -> None:
    assert command(["explain", "ei-after"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f"{len(lines)} claims fit ei-after by id or by print; give the id of one:"
    assert all("ei-after  (" in line for line in lines)


@pytest.mark.worker
def test_verifying_a_manifest_without_claims_says_so_and_is_well(repro: Repro) -> None:
    assert repro("ingest").returncode == 0
    done = repro("verify", "transfer_laptop")
    assert done.returncode == 0
    assert "no published claim is bound to this manifest" in done.stdout
    assert done.stderr == ""


def test_claims_are_found_by_what_is_printed(repro: Repro) -> None:
    """Several that print it are listed with their ids; one of these is explained."""
    done = repro("explain", "32%")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0] == "5 claims fit 32% by id or by print; give the id of one:"
    assert len(lines) == 6
    one = lines[1].split()[1]
    assert repro("explain", one).stdout.splitlines()[0].endswith(f"NOT RUN: {one}")
    assert repro("explain", "32 \\%").stdout.splitlines()[1:] == lines[1:]


def test_the_start_of_a_verdict_line_leads_to_its_explanation(repro: Repro) -> None:
    done = repro("verify", "selective", "--all")
    title = next(line for line in done.stdout.splitlines() if line.startswith("selective, Table 2"))
    assert "(selective/table-2/…)" in title


def test_rows_are_what_the_screen_shows_unless_all_are_asked_for(
    command: Command, capsys: Said
) -> None:
    """Of a ladder that nobody ran no row is shown that waits for a run."""
    code = command(["verify", "scale_ladder", "--format", "csv"])
    few = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert command(["verify", "scale_ladder", "--format", "csv", "--all"]) == code
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == sum(claim.measured_by == "scale_ladder" for claim in load_claims())
    assert "not run" in {row["verdict"] for row in rows}
    assert "not run" not in {row["verdict"] for row in few}
    assert all(row in rows for row in few)


def test_the_last_parts_of_an_id_come_before_letters_that_it_ends_with(
    command: Command, capsys: Said
) -> None:
    ids = [claim.id for claim in load_claims()]
    wanted = next(
        part
        for part in (name.rpartition("/")[2] for name in ids)
        if any(name.endswith(part) and not name.endswith(f"/{part}") for name in ids)
        and part not in ids
    )
    meant = [name for name in ids if name.endswith(f"/{wanted}")]
    assert command(["explain", wanted]) == 0
    out = capsys.readouterr().out
    if len(meant) == 1:
        assert out.splitlines()[0].endswith(f": {meant[0]}")
    else:
        assert out.startswith(f"{len(meant)} claims fit ")
