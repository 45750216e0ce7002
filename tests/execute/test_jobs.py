"""How a worker ended, in one line, from its exit code and its log."""

from pathlib import Path

import pytest

from repro.cost.fit import savings
from repro.evidence.folder import RunFolder
from repro.execute.folders import place_run, prepare
from repro.execute.jobs import how_it_ended, last_said
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


def ladder(ending: str) -> list[Run]:
    """Runs of the scale ladder."""
    runs = expand(load_experiment("scale_ladder"), local_environment())
    return [run for run in runs if run.model.id.endswith(ending)]


@pytest.mark.parametrize(
    ("code", "log", "told"),
    [
        (1, "begun\nrepro.worker: no such file\n\n", "exit code 1: no such file (log: "),
        (-9, "step 3\n", "killed by signal 9: step 3 (log: "),
        (2, None, "exit code 2: no output (log: "),
        (2, "", "exit code 2: no output (log: "),
        (1, "\xff is no text\n", "exit code 1: \\ufffd is no text (log: "),
    ],
)
def test_an_end_is_told_by_its_code_and_the_last_line(
    tmp_path: Path, code: int, log: str | None, told: str
) -> None:
    folder = RunFolder(tmp_path)
    if log is not None:
        folder.log.write_bytes(log.encode("latin-1"))
    said = how_it_ended(code, folder)
    assert said.startswith(told.replace("\\ufffd", "\ufffd")), said
    assert said.endswith(f"{folder.log})")


def test_running_out_of_a_cards_memory_says_what_takes_less(tmp_path: Path) -> None:
    """In one line; another end keeps the worker's own words."""
    run = ladder("32b")[0]
    folder = prepare(place_run(run, tmp_path))
    folder.log.write_text(
        "Traceback\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n"
    )
    said = how_it_ended(1, folder)
    assert "\n" not in said
    assert f"what takes less, at the least: {', '.join(savings(run, 1e9))}" in said
    assert "one sequence in a forward pass (" in said
    folder.log.write_text("ValueError: something else\n")
    assert how_it_ended(1, folder).startswith("exit code 1: ValueError: something else")


def test_a_log_that_a_worker_linked_elsewhere_is_not_written_through(tmp_path: Path) -> None:
    folder, victim = RunFolder(tmp_path / "run"), tmp_path / "victim"
    folder.path.mkdir()
    with folder.open_log() as log:
        log.write(b"a line\n")
    assert last_said(folder) == "a line", "the control"
    victim.write_text("a secret")
    folder.log.unlink()
    folder.log.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        folder.open_log()
    assert last_said(folder) == ""
    assert victim.read_text() == "a secret"
