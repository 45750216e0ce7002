"""Workers as subprocesses of this machine."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.evidence.folder import RunFolder
from repro.execute.device import Device
from repro.execute.given import given
from repro.execute.jobs import Job, how_it_ended

LEASH = "--end-with-stdin"


@dataclass(frozen=True)
class LocalRunner:
    """Starts workers with this interpreter."""

    cache: Path
    threads: int
    cards: str = ""
    """GPUs its workers see: all, or their numbers with commas between; none where the processor does the work."""
    name: str = "local"

    @property
    def device(self) -> Device:
        """What runs are planned for: the GPUs they see, else the processor."""
        return "cuda" if self.cards else "cpu"

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """A worker process for each folder."""
        return [LocalJob.start(folder, self.cache, self.threads, self.cards) for folder in folders]


@dataclass(frozen=True)
class LocalJob:
    """One worker process; its output goes to the run's log."""

    folder: RunFolder
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, folder: RunFolder, cache: Path, threads: int, cards: str = "") -> "LocalJob":
        """Start the worker in a session of its own, so that Ctrl-C reaches it through us, once.

        It reads a pipe that nobody writes to: when this process ends, however it ends, so does the worker.
        """
        command = [sys.executable, "-m", "repro.worker", "run", str(folder.path), "--cache", str(cache), LEASH]
        environment = given(OMP_NUM_THREADS=str(threads))
        # Planned for the processor, a run stays there: it sees no card.
        environment.update(CUDA_VISIBLE_DEVICES=cards, CUDA_DEVICE_ORDER="PCI_BUS_ID")
        with folder.open_log() as log:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        return cls(folder, process)

    def poll(self) -> int | None:
        """The exit code, or None while it runs. A negative code is the signal that ended it."""
        return self.process.poll()

    def stop(self) -> None:
        """Ask it to stop, wait, insist."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()

    def problem(self, code: int) -> str:
        """Why it ended."""
        return how_it_ended(code, self.folder)
