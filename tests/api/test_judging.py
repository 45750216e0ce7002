"""Judging from Python is judging on the command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from repro import api
from repro.errors import ManifestError


def test_judge_says_what_verify_says(
    evidence: Path, repro: Callable[..., CompletedProcess[str]]
) -> None:
    done = repro("verify", "smoke", "--json", "--results", str(evidence))
    told, content = api.judge("smoke", evidence), json.loads(done.stdout)
    assert told.code == done.returncode
    assert told.counts == content["counts"]
    assert [json.loads(one.model_dump_json()) for one in told.verdicts] == content["claims"]


def test_nothing_is_written_and_nothing_passes_that_was_not_run(tmp_path: Path) -> None:
    found = api.judge("scale_ladder", tmp_path)
    assert found.code == 1  # one fails by definition, which needs no run
    assert {one.outcome for one in found.verdicts if one.basis == "measured"} <= {
        "not_run",
        "unverifiable",
    }
    assert [*tmp_path.iterdir()] == []


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="nearest is smoke; "):
        api.judge("smok", tmp_path)


@pytest.mark.worker
def test_the_module_loads_no_torch_and_little_at_first() -> None:
    probe = (
        "import sys, repro.api; assert not {'pyarrow', 'scipy'} & set(sys.modules); "
        "repro.api.judge('smoke'); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
