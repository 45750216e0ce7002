"""Carry out runs that only measure base models, each model streamed from its hub meanwhile."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.cost.walked import can_walk
from repro.errors import InputError
from repro.evidence.folder import BY_SHARD, RunFolder
from repro.evidence.request import read_request
from repro.execute.host_note import note_host
from repro.execute.jobs import Job
from repro.execute.local import LocalJob
from repro.fetch.stream import Stream, open_stream
from repro.plan.run import Run


@dataclass(frozen=True)
class StreamRunner:
    """Starts a worker on this machine, and what feeds it."""

    cache: Path
    threads: int
    name: str = "local"

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Open each run's model on its hub, then start its worker. Raises SetupError."""
        return [self._start(folder) for folder in folders]

    def _start(self, folder: RunFolder) -> "StreamedJob":
        note_host(folder, self.name, BY_SHARD)
        stream = open_stream(read_request(folder.path).run.model, self.cache)
        # a download cannot be interrupted; it must not keep this process
        threading.Thread(target=stream.feed, daemon=True).start()
        return StreamedJob(LocalJob.start(folder, self.cache, self.threads), stream)


@dataclass(frozen=True)
class StreamedJob:
    """A worker, and the stream it reads."""

    job: LocalJob
    stream: Stream

    @property
    def folder(self) -> RunFolder:
        """Return the run's folder."""
        return self.job.folder

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs. A finished run's stream is removed.

        A worker whose next shard cannot be had is stopped; it goes on from its last block later.
        """
        code = self.job.poll()
        if code is None and self.stream.problem:
            self.job.stop()
            code = self.job.poll()
        if code is not None:
            self.stream.close(finished=code == 0)
        return code

    def stop(self) -> None:
        """Stop both; what came stays for the next attempt."""
        self.job.stop()
        self.stream.close(finished=False)

    def problem(self, code: int) -> str:
        """Return why it ended."""
        return self.stream.problem or self.job.problem(code)


def require_streamable(runs: Sequence[Run]) -> None:
    """Raise InputError for a run that needs the whole model, is planned for a GPU, or has a model
    that comes from no hub.
    """
    for run in runs:
        if run.environment.device != "cpu":
            raise InputError(
                f"--stream: {run.slot} is planned for a GPU, and what is streamed is measured on the "
                "processor; set TORCH=cpu, or fetch it without --stream"
            )
        if not can_walk(run):
            raise InputError(
                f"--stream: {run.slot} needs its whole model (it trains, or reads more than a base "
                "model's activations on probes); --base measures the base models alone, --only "
                "takes some runs"
            )
        if run.model.weights.kind != "hub":
            raise InputError(
                f"--stream: {run.slot} has a model that comes from no hub; fetch it without --stream"
            )
