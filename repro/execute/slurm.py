"""Run workers as jobs of a Slurm cluster, submitted through submitit.

Runs with the same resources share an array. A job is one step that runs the worker on its run's
folder, bare or in a container of the node. However it ends (the time limit, preemption, a failed
node, a kill) the run continues from its last checkpoint: submitit requeues a job that reaches its
time limit, Slurm one that is preempted, and a job that ended without finishing is submitted again
here. Jobs outlive the host: job.json in the run's folder names the job, and the next host takes it
over.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.errors import SetupError, last_line
from repro.evidence.folder import RunFolder, read_json
from repro.evidence.request import read_request
from repro.execute.cluster import Cluster
from repro.execute.given import given_alone
from repro.execute.jobs import Job, how_it_ended
from repro.execute.slurm_ask import Ask, ask_for
from repro.execute.slurm_step import SlurmStep
from repro.files import write_json
from repro.plan.image_lock import ImageName

ATTEMPTS = 4
"""How often a run is submitted before the end of its job counts as a failure."""
FRESH = 2.0  # seconds for which one query of the queue serves all jobs
BAD_INPUT = 2  # the worker's exit code for errors that no second try corrects
OVER = frozenset(
    [
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    ]
)
_FINAL = frozenset(["OUT_OF_MEMORY", "CANCELLED"])
"""Ends after which a job is not submitted again: it needs more memory, or somebody stopped it."""


@dataclass
class SlurmRunner:
    """Submits run folders as one array and watches the queue."""

    cluster: Cluster
    cache: Path
    results: Path
    image: ImageName
    """Image of docker/images.lock for workers, where the cluster's containers are docker's."""
    at_once: int
    """Jobs of one array that may run together."""
    queue: dict[str, str] = field(default_factory=dict)
    """State of each of our jobs, as last seen."""
    looked: float = 0.0

    @property
    def name(self) -> str:
        """Return "slurm", with the kind of container on the node."""
        return "slurm" if self.cluster.container == "none" else f"slurm, {self.cluster.container}"

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Take over jobs that are queued or running; submit the rest as arrays."""
        known = {
            folder.path: job for folder in folders if (job := self._queued(folder)) is not None
        }
        fresh = [folder for folder in folders if folder.path not in known]
        known.update(
            {folder.path: SlurmJob(folder, self, job) for folder, job in self.submit(fresh)}
        )
        return [known[folder.path] for folder in folders]

    def submit(self, folders: Sequence[RunFolder]) -> list[tuple[RunFolder, str]]:
        """Submit an array for each set of resources.

        Return (folder, job id) for each folder. Raises SetupError in Slurm's words.
        """
        asks = {folder.path: self.ask(folder) for folder in folders}
        submitted = []
        for ask in dict.fromkeys(asks.values()):  # Jobs of one array have the same resources.
            alike = [folder for folder in folders if asks[folder.path] == ask]
            steps = [
                SlurmStep(sys.executable, folder.path, self.cache, self.cluster, self.image, ask)
                for folder in alike
            ]
            try:
                with given_alone():  # sbatch copies the whole environment.
                    jobs = self._executor(ask).map_array(SlurmStep.__call__, steps)
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                reason = last_line(str(error))
                raise SetupError(
                    f"Slurm: sbatch refused jobs that ask for {ask.words()} ({reason})"
                ) from error
            submitted += [
                (folder, str(job.job_id)) for folder, job in zip(alike, jobs, strict=True)
            ]
        for folder, job in submitted:
            write_json(folder.path / "job.json", {"runner": "slurm", "job": job})
        self.queue.update({job: "PENDING" for _, job in submitted})
        return submitted

    def state(self, job: str) -> str:
        """Return Slurm's word for the job's state; COMPLETED for a job it has forgotten."""
        if time.monotonic() - self.looked > FRESH:
            try:
                self.queue = queue_states()
            except SetupError:
                if not self.looked:  # a controller that answered before is only busy or restarting
                    raise
            self.looked = time.monotonic()
        return self.queue.get(job, "COMPLETED")

    def _queued(self, folder: RunFolder) -> "SlurmJob | None":
        """Return the folder's job that is still queued or running; None where there is none."""
        path = folder.path / "job.json"
        job = str(read_json(path).get("job")) if path.exists() else ""
        return SlurmJob(folder, self, job) if job and self.state(job) not in OVER else None

    def ask(self, folder: RunFolder, planned: bool = False) -> Ask:
        """Return the resources that the job of a run's folder asks for.

        `planned`: by the plan alone.
        """
        cluster = Cluster() if planned else self.cluster
        return ask_for(read_request(folder.path).run, cluster, self.image == "cuda")

    def _executor(self, ask: Ask) -> Any:
        """Return submitit's executor for these resources."""
        import submitit

        executor = submitit.AutoExecutor(
            folder=self.results / "slurm", cluster="slurm", slurm_max_num_timeout=1000
        )
        executor.update_parameters(
            slurm_array_parallelism=self.at_once,
            **self.cluster.parameters(ask.minutes, ask.memory_gib, ask.gpus),
        )
        return executor


@dataclass
class SlurmJob:
    """One task of an array, and its later attempts."""

    folder: RunFolder
    runner: SlurmRunner
    job: str
    attempts: int = 1
    last: str = ""

    def poll(self) -> int | None:
        """Return the exit code, or None while it is queued or running, in this attempt or
        the next.
        """
        state = self.runner.state(self.job)
        if state not in OVER:
            return None
        if self.folder.done():
            return 0
        self.last = state
        code = worker_code_of(self.folder)
        if code == BAD_INPUT or state in _FINAL or self.attempts == ATTEMPTS:
            return code or 1
        self.attempts += 1
        try:
            ((_, self.job),) = self.runner.submit([self.folder])
        except SetupError as problem:  # the other runs' jobs go on
            self.last = f"{state}, and {problem}"
            return 1
        return None

    def stop(self) -> None:
        """Cancel it and wait until it is gone: two workers must never share a folder."""
        slurm("scancel", self.job)
        begin = time.monotonic()
        while (
            queue_states().get(self.job, "COMPLETED") not in OVER and time.monotonic() - begin < 60
        ):
            time.sleep(1)

    def problem(self, code: int) -> str:
        """Return why it ended, with Slurm's word for it."""
        if self.last == "OUT_OF_MEMORY":
            given, planned = (
                self.runner.ask(self.folder, plan).memory_gib for plan in (False, True)
            )
            enough = planned if given < planned else 2 * given
            return (
                f"Slurm job {self.job} ran out of memory at the {given:.3g} GiB it asked "
                f"for; {enough:.3g} would fit: "
                f"set memory_gib: {enough:.3g} in the file that REPRO_SLURM names, and "
                "repeat the command"
            )
        if self.last == "CANCELLED":
            return (
                f"Slurm job {self.job} was cancelled; the same command submits it again, and it "
                "goes on from its last checkpoint"
            )
        return f"Slurm job {self.job} ended as {self.last}: {how_it_ended(code, self.folder)}"


def queue_states() -> dict[str, str]:
    """Return the state of every job of this user that Slurm knows, by job id (`123_4` inside an
    array).
    """
    lines = slurm(
        "squeue", "--me", "--noheader", "--array", "--states=all", "--format=%i %T"
    ).splitlines()
    found = (line.split() for line in lines)
    return {words[0]: words[1] for words in found if len(words) == 2}


def slurm(*command: str) -> str:
    """Run one of Slurm's commands and return its output.

    Raises SetupError when no cluster answers.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    except FileNotFoundError as error:
        raise SetupError(
            f"Slurm: no command {command[0]} here; run this on a login node, or use --runner docker"
        ) from error
    if done.returncode:
        problem = last_line(done.stderr)
        raise SetupError(f"Slurm: {command[0]} failed ({problem}); is the cluster up?")
    return done.stdout


def worker_code_of(folder: RunFolder) -> int | None:
    """Return the worker's last exit code, as its step recorded it.

    None when it was killed before.
    """
    path = folder.path / "exit.json"
    return int(read_json(path)["code"]) if path.exists() else None
