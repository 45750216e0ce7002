"""A run that goes on from another's adapter, and what becomes of one whose predecessor, or itself,
diverges.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
from safetensors.numpy import load_file, save_file

from repro.evidence.folder import RunFolder
from repro.evidence.marker import Marker
from repro.evidence.request import read_request
from repro.files import file_digest
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment

Command = Callable[..., CompletedProcess[str]]
MANIFEST = """
id: chained
title: B3 and then B2
image: local
probe_set: factorial_48
domains: {code: [standard_library], math: [grade_school], natural_language: [python_topics]}
conditions:
  B3-B2: {title: on to math, continues: B3, phases: [{steps: 3, mixture: {code: 0.7, math: 0.3}}]}
  B3: {title: code and natural language, phases: [{steps: 4, mixture: {code: 0.7, natural_language: 0.3}}]}
training:
  lora: {rank: 4, alpha: 8, dropout: 0.1}
  optimizer: {learning_rate: 0.01, warmup: 0.0}
  accumulation: 2
  max_length: 32
  gradient_checkpointing: false
  compute: float32
  checkpoint_every: 1
diagnostics: {every: 4}
arms:
  - {models: [tiny-llama], conditions: [B3-B2], seeds: [0]}
"""


def write(tmp_path: Path, content: str) -> Path:
    """The manifest as a user's own file."""
    (tmp_path / "chained.yaml").write_text(content)
    return tmp_path / "chained.yaml"


def folders(tmp_path: Path) -> dict[str, RunFolder]:
    """Run folders by condition."""
    found = [RunFolder(path) for path in (tmp_path / "results" / "runs" / "chained").iterdir()]
    return {read_request(folder.path).run.condition_id: folder for folder in found}


def marker(folder: RunFolder) -> Marker:
    """The done marker."""
    done = folder.done()
    assert done is not None
    return done


def test_what_a_run_continues_is_planned_before_it_and_decides_its_identity(tmp_path: Path) -> None:
    first = expand(load_experiment(str(write(tmp_path, MANIFEST))), local_environment())
    assert [run.condition_id for run in first] == ["B3", "B3-B2"]
    assert first[1].parent is not None
    assert first[1].parent.id == first[0].id
    longer = MANIFEST.replace("steps: 4", "steps: 5")
    second = expand(load_experiment(str(write(tmp_path, longer))), local_environment())
    assert second[1].id != first[1].id


def test_a_run_that_goes_on_draws_texts_and_dropout_of_its_own(tmp_path: Path) -> None:
    third = (
        "  B3-B2-B3: {title: back, continues: B3-B2, phases: [{steps: 3, mixture: "
        "{natural_language: 1.0}}]}\n"
    )
    written = MANIFEST.replace("conditions:\n", "conditions:\n" + third).replace(
        "[B3-B2], seeds", "[B3-B2-B3], seeds"
    )
    first, *later = expand(load_experiment(str(write(tmp_path, written))), local_environment())
    assert [run.condition_id for run in later] == ["B3-B2", "B3-B2-B3"]
    assert first.draw_seed == first.seed == 0
    assert len({run.draw_seed for run in (first, *later)}) == 3
    again = expand(
        load_experiment(str(write(tmp_path, written.replace("every: 4", "every: 2")))),
        local_environment(),
    )
    assert [run.draw_seed for run in again[1:]] == [run.draw_seed for run in later], (
        "what is measured draws nothing"
    )


def test_a_chain_runs_in_order_and_each_link_says_where_it_comes_from(
    repro: Command, tmp_path: Path
) -> None:
    done = repro("run", str(write(tmp_path, MANIFEST)), "--max-parallel", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    parent, child = folders(tmp_path)["B3"], folders(tmp_path)["B3-B2"]
    child.check()
    origin = json.loads((child.path / "start" / "origin.json").read_text())
    assert origin["run"] == read_request(parent.path).id
    assert origin["files"] == {
        name: h for name, h in marker(parent).files.items() if name.startswith("adapter/")
    }
    assert {"start/origin.json", "start/adapter/adapter_model.safetensors"} <= marker(
        child
    ).files.keys()
    begun, ended = ("activations/000000.safetensors", "activations/000004.safetensors")
    start = load_file(child.path / begun)["activations"]
    assert np.array_equal(start, load_file(parent.path / ended)["activations"])
    assert not np.array_equal(start, load_file(parent.path / begun)["activations"]), (
        "the parent did learn"
    )


def test_a_run_that_blows_up_ends_as_diverged_and_nothing_goes_on_from_it(
    repro: Command, tmp_path: Path
) -> None:
    blown = MANIFEST.replace("learning_rate: 0.01", "learning_rate: 1.0e+25").replace(
        "steps: 4", "steps: 6"
    )
    done = repro("run", str(write(tmp_path, blown)))
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    own, after = (
        next(number for number, line in enumerate(lines) if line.startswith(words))
        for words in (
            "tiny-llama-B3-s0: diverged at step",
            "tiny-llama-B3-B2-s0: starts from tiny-llama-B3-s0, which diverged at step",
        )
    )
    assert own < after, "the run itself comes before what hangs on it"
    assert "a lower learning rate" in lines[after]
    assert lines[-1].startswith(
        "1 of 2 runs finished, 1 of them diverged; 1 failed, why is said above; evidence in "
    )
    assert done.stdout.count("starts from tiny-llama-B3-s0") == 1
    found = folders(tmp_path)
    assert found.keys() == {"B3"}
    end = marker(found["B3"])
    assert end.status == "diverged"
    assert "the adapter kept is that of step 0" in end.reason, (
        "one step at this rate already spoils the weights"
    )
    kept = load_file(found["B3"].path / "adapter" / "adapter_model.safetensors")
    assert all(np.isfinite(value).all() for value in kept.values())
    assert all(not value.any() for name, value in kept.items() if "lora_B" in name), (
        "step 0: B is zero"
    )
    assert repro("ingest").returncode == 0
    counted = "SELECT status, count(*) FROM runs GROUP BY ALL"
    assert json.loads(repro("sql", counted, "--format", "json").stdout) == [
        {"status": "diverged", "count_star()": 1}
    ]


def test_a_base_model_that_gives_no_numbers_is_no_healthy_run(
    repro: Command, tmp_path: Path, tiny_llama: Path
) -> None:
    spoilt = tmp_path / "cache" / "models" / tiny_llama.name
    shutil.copytree(tiny_llama, spoilt)
    base = MANIFEST.replace("conditions:\n", "conditions:\n  B0: {title: base model}\n")
    manifest = write(tmp_path, base.replace("[B3-B2], seeds", "[B0], seeds"))
    where = {"REPRO_CACHE": str(tmp_path / "cache")}
    healthy = repro("run", str(manifest), **where)
    assert healthy.returncode == 0
    assert "\n1 of 1 runs finished; evidence in " in healthy.stdout
    assert marker(folders(tmp_path)["B0"]).status == "done"
    assert "diverged" not in repro("status").stdout
    shutil.rmtree(tmp_path / "results")
    weights = load_file(spoilt / "model.safetensors")
    weights["model.norm.weight"][0] = np.nan
    save_file(weights, spoilt / "model.safetensors", {"format": "pt"})
    # as if they had come so: files that changed since would be refused
    path = spoilt / "identity.json"
    noted = json.loads(path.read_text())
    noted["files"]["model.safetensors"] = file_digest(spoilt / "model.safetensors")
    path.write_text(json.dumps(noted))
    done = repro("run", str(manifest), **where)
    assert done.returncode == 0, "that it diverged is a result"
    assert (
        "tiny-llama-B0: diverged at step 0: 48 of 48 activations not finite; its numbers "
        "never count\n" in done.stdout
    )
    end = marker(folders(tmp_path)["B0"])
    assert end.status == "diverged"
    assert end.reason == "diverged at step 0: 48 of 48 activations not finite"
    assert "\n1 of 1 runs finished, 1 of them diverged; evidence in " in done.stdout
    assert re.search(
        r" diverged +at step 0: 48 of 48 activations not finite", repro("status").stdout
    )


def test_weights_that_died_while_every_number_stayed_finite_have_diverged_too(
    repro: Command, tmp_path: Path
) -> None:
    """A rate of a million: loss and gradient are finite at every step, and the activations are all
    0.
    """
    dead = MANIFEST.replace("learning_rate: 0.01", "learning_rate: 1.0e+6").replace(
        "steps: 4", "steps: 6"
    )
    done = repro("run", str(write(tmp_path, dead)))
    assert done.returncode == 3, "what would go on from it is not run"
    found = folders(tmp_path)
    assert found.keys() == {"B3"}
    end = marker(found["B3"])
    assert end.status == "diverged"
    died = (
        # its digits depend on the interpreter's texts
        r"diverged by step 4: activation RMS 0 where step 0 had 0\.3\d*"
    )
    assert re.search(died, end.reason)
    assert end.reason.endswith("the adapter kept is that of step 0"), "the last that was measured"
    (invalid,) = {
        row.reason
        for row in found["B3"].measurements(4)
        if row.quantity == "entanglement_intensity"
    }
    assert re.match(died, invalid)
    assert not [
        row
        for row in found["B3"].measurements(4)
        if row.quantity == "loss" and not np.isfinite(row.value)
    ]
