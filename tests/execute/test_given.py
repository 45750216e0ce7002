"""A worker gets no environment but the chosen one."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.evidence.folder import RunFolder
from repro.execute.given import SECRET, given_alone, worker_environment
from repro.execute.local import LocalJob


def test_no_token_reaches_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "WANDB_API_KEY",
        "SLURM_JWT",
        "OMP_SECRET",
        "X",
    )
    for name in secrets:
        monkeypatch.setenv(name, "hf_secret")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    found = worker_environment(OMP_NUM_THREADS="2")
    assert not set(secrets) & found.keys()
    assert "hf_secret" not in found.values()
    assert found["PATH"] == os.environ["PATH"]
    assert (
        found["SLURM_JOB_ID"],
        found["LC_ALL"],
        found["OMP_NUM_THREADS"],
        found["HF_HUB_OFFLINE"],
    ) == (
        "7",
        "C.UTF-8",
        "2",
        "1",
    )


def test_a_worker_process_has_no_token_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel tells it of a real process; the control is a variable that is passed on."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    job = LocalJob.start(folder, tmp_path / "cache", 1)
    begin, environment = time.monotonic(), b""
    while not environment and time.monotonic() - begin < 60:  # empty until the program is in place
        environment = Path(f"/proc/{job.process.pid}/environ").read_bytes()
    job.process.wait(60)
    assert b"LC_ALL=C.UTF-8" in environment
    assert b"hf_secret" not in environment
    assert job.process.returncode == 2, "there is nothing to run, said in one line"


@given(
    st.sampled_from(["LC_", "NCCL_", "SLURM_", "SLURMD_", "PMI"]),
    st.text("ABC_", max_size=4),
    st.sampled_from(SECRET),
    st.text("ABC_", max_size=4),
)
def test_a_name_with_a_secret_in_it_is_of_no_family(
    family: str, before: str, secret: str, after: str
) -> None:
    """The control is the same name without that word."""
    plain, name = f"{family}{before}{after}", f"{family}{before}{secret}{after}"
    found = worker_environment({plain: "x", name: "x"})
    assert plain in found
    assert name not in found


def test_what_chooses_kernels_is_not_passed_on_and_what_is_asked_for_comes_last() -> None:
    before = {"MKL_CBWR": "AVX2", "OMP_DYNAMIC": "1", "HOME": "/h", "HF_HUB_OFFLINE": "0"}
    assert worker_environment(before, TZ="UTC") == {
        "HOME": "/h",
        "TZ": "UTC",
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    assert worker_environment({}, HF_HUB_OFFLINE="0")["HF_HUB_OFFLINE"] == "0"


def test_a_program_that_copies_everything_finds_the_chosen_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the settings of Slurm; afterwards all is as it was, also after an error."""
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("SBATCH_ACCOUNT", "mine")
    before = dict(os.environ)

    def copy_and_fail() -> None:
        with given_alone():
            seen.update(os.environ)
            os.environ["ADDED"] = "1"
            raise KeyError

    seen: dict[str, str] = {}
    with pytest.raises(KeyError):
        copy_and_fail()
    assert "HF_TOKEN" not in seen
    assert seen["SBATCH_ACCOUNT"] == "mine"
    assert seen["PATH"] == before["PATH"]
    assert dict(os.environ) == before
