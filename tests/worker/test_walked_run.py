"""A run that its host says to measure block by block: the evidence of the whole model, and a kill
costs the block at work.
"""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from repro.evidence.folder import BY_BLOCK, RunFolder
from repro.execute.folders import place_run, prepare
from repro.execute.host_note import note_host
from repro.execute.local import LocalJob
from repro.fetch.models import fetch_models
from repro.files import file_digest
from repro.manifest.load import load_experiment, load_models
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run

PATIENCE = 240.0


@pytest.fixture(scope="module")
def run(cache: Path) -> Run:
    """A base model on two probe sets, its weights in 4 bits."""
    fetch_models([load_models()["tiny-mistral"]], cache, print)
    runs = expand(load_experiment("smoke"), local_environment())
    found = next(run for run in runs if run.slot == "tiny-mistral-B0")
    given = found.model_dump()
    given["training"] |= {"heldout": 0, "compute": "bfloat16"}
    given["diagnostics"] |= {"also": ["similarity"]}
    given |= {
        "domains": {},
        "also_probe_sets": {"core_60": "0"},
        "probe_folders": {name: name for name in (found.probe_set, "core_60")},
    }
    return Run.model_validate(given)


def carried_out(run: Run, results: Path, cache: Path, by_block: bool, kills: int) -> RunFolder:
    """The finished run, after so many kill -9 once a block was behind."""
    folder = prepare(place_run(run, results))
    for left in range(kills, -1, -1):
        note_host(folder, "local", BY_BLOCK if by_block else "whole")
        job = LocalJob.start(folder, cache, run.threads)
        begun = time.monotonic()
        while job.poll() is None and not (left and folder.walk.exists()):
            assert time.monotonic() - begun < PATIENCE
            time.sleep(0.001)
        if left:
            os.kill(job.process.pid, signal.SIGKILL)
            job.process.wait()
            assert not folder.done()
            assert int(load_file(folder.walk)["blocks"]) >= 1
            assert folder.begun
    assert folder.done(), folder.log.read_text()
    return folder


def numbers(folder: RunFolder) -> dict[str, str]:
    """Digests of what was measured."""
    paths = [*folder.path.glob("steps/*"), *folder.path.glob("activations/*")]
    return {str(path.relative_to(folder.path)): file_digest(path) for path in paths}


def test_a_walked_run_has_the_evidence_of_the_whole_model(
    run: Run, cache: Path, tmp_path: Path
) -> None:
    whole = carried_out(run, tmp_path / "whole", cache, by_block=False, kills=0)
    walked = carried_out(run, tmp_path / "walked", cache, by_block=True, kills=1)
    assert len(numbers(whole)) == 3
    assert numbers(walked) == numbers(whole)
    assert walked.path.name == whole.path.name, "how it was measured is no part of its name"
    for folder, words in ((whole, "whole"), (walked, "block by block")):
        record = json.loads((folder.path / "provenance.json").read_text())
        assert {attempt["host"]["loaded"] for attempt in record["attempts"]} == {words}
    assert not walked.walk.exists()
    progress = json.loads((walked.path / "progress.json").read_text())
    assert (progress["block"], progress["blocks"]) == (2, 2)
    assert "block" not in json.loads((whole.path / "progress.json").read_text())
