"""Run workers as subprocesses on this machine."""

import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.evidence.folder import RunFolder
from repro.execute.given import worker_environment
from repro.execute.jobs import Job, how_it_ended
from repro.execute.worker_command import LEASH, run_command


@dataclass(frozen=True)
class LocalRunner:
    """Starts workers with this interpreter."""

    cache: Path
    threads: int
    cards: str = ""
    """GPUs its workers see: all, or their numbers separated by commas; none for runs on the CPU."""
    name: str = "local"

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Start a worker process for each folder."""
        return [LocalJob.start(folder, self.cache, self.threads, self.cards) for folder in folders]


@dataclass(frozen=True)
class LocalJob:
    """One worker process. Its output goes to the run's log."""

    folder: RunFolder
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, folder: RunFolder, cache: Path, threads: int, cards: str = "") -> "LocalJob":
        """Start the worker in its own session, so that Ctrl-C reaches it through us, once.

        It reads a pipe that nothing writes to: when this process ends, in whatever way, so
        does the worker.
        """
        command = run_command(folder.path, cache, LEASH)
        environment = worker_environment(OMP_NUM_THREADS=str(threads))
        # A run planned for the CPU must see no GPU.
        environment.update(CUDA_VISIBLE_DEVICES=cards, CUDA_DEVICE_ORDER="PCI_BUS_ID")
        with folder.open_log() as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        return cls(folder, process)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs.

        A negative code is the signal that ended it.
        """
        return self.process.poll()

    def stop(self) -> None:
        """Stop it, by force after a wait."""
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
        """Return why it ended."""
        return how_it_ended(code, self.folder)
