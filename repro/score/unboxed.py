"""Run candidates without any box, as the current user: for trusted code, and only on request."""

import json
import subprocess
import sys
from dataclasses import dataclass

import psutil

from repro.score.box import (
    ENVIRONMENT,
    OPTIONS,
    SOURCE,
    Box,
    ExhaustedError,
    Memory,
    close_pipes,
    numpy_folders,
    read_pipe,
    write_pipe,
)


@dataclass(frozen=True)
class Unboxed:
    """Starts plain processes."""

    kind: str = "none"

    def open(self) -> Box:
        """Start a process."""
        given = json.dumps({"user": None, "packages": numpy_folders(), "alone": False})
        command = [sys.executable, *OPTIONS, "-c", SOURCE, given]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ExhaustedError(f"no process could be started ({error.strerror})") from error
        return Process(process)

    def close(self) -> None:
        """Do nothing: what a process left behind cannot be found."""


@dataclass(frozen=True)
class Process:
    """A process and its children, as far as they can be found."""

    process: subprocess.Popen[bytes]

    def write(self, data: bytes) -> None:
        """Send bytes in."""
        write_pipe(self.process, data)

    def read(self, seconds: float) -> bytes | None:
        """Return the output."""
        return read_pipe(self.process, seconds)

    def processor_seconds(self) -> float:
        """Return the CPU time of the process and of the children that are found."""
        total = 0.0
        for process in self._family():
            try:
                total += sum(process.cpu_times()[:4])  # its own, and its ended children's
            except psutil.Error:
                continue
        return total

    def out_of_memory(self) -> Memory:
        """Return "no": without a control group it is unknown."""
        return "no"

    def close(self) -> None:
        """End the process and the children that are found."""
        for process in self._family():
            try:
                process.kill()
            except psutil.Error:
                continue
        close_pipes(self.process)

    def _family(self) -> list[psutil.Process]:
        """Return the process and its children that are found."""
        try:
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        except psutil.Error:
            return []
