"""Workers as jobs of a Slurm cluster, submitted through submitit: an array for the runs of one call that ask for the same.

A job is one step that runs the worker on its run's folder, bare or in a container of the node. Whatever ends it (the
time limit, preemption, a failed node, a kill) the run goes on from its last checkpoint: submitit requeues a job that
reaches its time limit, Slurm one that is preempted, and a job that ended without finishing is submitted again here.
Jobs outlive the host: job.json in the run's folder names the job, and the next host takes it over.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.evidence.folder import RunFolder, read_json
from repro.evidence.request import read_request
from repro.execute.cluster import Cluster
from repro.execute.jobs import Job, how_it_ended
from repro.execute.slurm_ask import Ask, ask_for
from repro.execute.slurm_step import Step
from repro.files import write_json
from repro.plan.image_lock import Name

ATTEMPTS = 4
"""How often a run is submitted before its job's end counts as a failure."""
FRESH = 2.0  # seconds for which one look at the queue serves all jobs
BAD_INPUT = 2  # the worker's exit code for what no second try mends
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


@dataclass
class SlurmRunner:
    """Submits run folders as one array and watches the queue."""

    cluster: Cluster
    cache: Path
    results: Path
    image: Name
    """Which image of docker/images.lock workers run in, where the cluster's containers are docker's."""
    at_once: int
    """Jobs of one array that may run together."""
    queue: dict[str, str] = field(default_factory=dict)
    """State of every job of ours, as last seen."""
    looked: float = 0.0

    @property
    def name(self) -> str:
        """With what shuts the worker in on its node."""
        return "slurm" if self.cluster.container == "none" else f"slurm, {self.cluster.container}"

    @property
    def threads(self) -> int:
        """Processor threads each run gets."""
        return self.cluster.cpus

    @property
    def device(self) -> None:
        """What runs are planned for: their node decides."""

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Take over what is queued or running already; submit the rest as one array."""
        known = {folder.path: job for folder in folders if (job := self._queued(folder)) is not None}
        fresh = [folder for folder in folders if folder.path not in known]
        known.update({folder.path: SlurmJob(folder, self, job) for folder, job in self.submit(fresh)})
        return [known[folder.path] for folder in folders]

    def submit(self, folders: Sequence[RunFolder]) -> list[tuple[RunFolder, str]]:
        """Submit an array for each kind of job; (folder, job id) each. Raises SetupError in Slurm's words."""
        asks = {folder.path: self.ask(folder) for folder in folders}
        submitted = []
        for ask in dict.fromkeys(asks.values()):  # jobs of one array ask for the same
            alike = [folder for folder in folders if asks[folder.path] == ask]
            steps = [Step(sys.executable, folder.path, self.cache, self.cluster, self.image, ask) for folder in alike]
            try:
                jobs = self._executor(ask).map_array(Step.__call__, steps)
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                reason = str(error).strip().splitlines()[-1]
                raise SetupError(f"Slurm: sbatch refused jobs that ask for {ask.words()} ({reason})") from error
            submitted += [(folder, str(job.job_id)) for folder, job in zip(alike, jobs, strict=True)]
        for folder, job in submitted:
            write_json(folder.path / "job.json", {"runner": "slurm", "job": job})
        self.queue.update({job: "PENDING" for _, job in submitted})
        return submitted

    def state(self, job: str) -> str:
        """Slurm's word for the job's state; COMPLETED for one it has forgotten."""
        if time.monotonic() - self.looked > FRESH:
            try:
                self.queue = queue_states()
            except SetupError:
                if not self.looked:  # a controller that answered before is only busy or restarting
                    raise
            self.looked = time.monotonic()
        return self.queue.get(job, "COMPLETED")

    def _queued(self, folder: RunFolder) -> "SlurmJob | None":
        path = folder.path / "job.json"
        job = str(read_json(path).get("job")) if path.exists() else ""
        return SlurmJob(folder, self, job) if job and self.state(job) not in OVER else None

    def ask(self, folder: RunFolder, planned: bool = False) -> Ask:
        """Return what the job of a run's folder asks for; `planned`: by the plan alone."""
        cluster = Cluster() if planned else self.cluster
        return ask_for(read_request(folder.path).run, cluster, self.image == "cuda")

    def _executor(self, ask: Ask) -> Any:
        import submitit

        executor = submitit.AutoExecutor(folder=self.results / "slurm", cluster="slurm", slurm_max_num_timeout=1000)
        executor.update_parameters(
            slurm_array_parallelism=self.at_once, **self.cluster.parameters(ask.minutes, ask.memory_gib, ask.gpus)
        )
        return executor


@dataclass
class SlurmJob:
    """One task of an array, and its successors when it is submitted again."""

    folder: RunFolder
    runner: SlurmRunner
    job: str
    attempts: int = 1
    last: str = ""

    def poll(self) -> int | None:
        """The exit code, or None while it is queued or runs, here or in its next attempt."""
        state = self.runner.state(self.job)
        if state not in OVER:
            return None
        if self.folder.done():
            return 0
        self.last = state
        code = worker_code_of(self.folder)
        if code == BAD_INPUT or state == "OUT_OF_MEMORY" or self.attempts == ATTEMPTS:
            return code or 1
        self.attempts += 1
        ((_, self.job),) = self.runner.submit([self.folder])
        return None

    def stop(self) -> None:
        """Cancel it and wait until it is gone: two workers must never share a folder."""
        slurm("scancel", self.job)
        begin = time.monotonic()
        while queue_states().get(self.job, "COMPLETED") not in OVER and time.monotonic() - begin < 60:
            time.sleep(1)

    def problem(self, code: int) -> str:
        """Why it ended, with Slurm's word for it."""
        if self.last == "OUT_OF_MEMORY":
            given, planned = (self.runner.ask(self.folder, plan).memory_gib for plan in (False, True))
            enough = planned if given < planned else 2 * given
            return (
                f"Slurm job {self.job} ran out of memory at the {given:.3g} GiB it asked for; {enough:.3g} would fit: "
                f"set memory_gib: {enough:.3g} in the file that REPRO_SLURM names, and repeat the command"
            )
        return f"Slurm job {self.job} ended as {self.last}: {how_it_ended(code, self.folder)}"


def queue_states() -> dict[str, str]:
    """State of every job of this user that Slurm still knows, by job id (`123_4` inside an array)."""
    lines = slurm("squeue", "--me", "--noheader", "--array", "--states=all", "--format=%i %T").splitlines()
    found = (line.split() for line in lines)
    return {words[0]: words[1] for words in found if len(words) == 2}


def slurm(*command: str) -> str:
    """Run one of Slurm's commands. Raises SetupError when there is no cluster to talk to."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SetupError(
            f"Slurm: no command {command[0]} here; run this on a login node, or use --runner docker"
        ) from error
    if done.returncode:
        problem = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise SetupError(f"Slurm: {command[0]} failed ({problem}); is the cluster up?")
    return done.stdout


def worker_code_of(folder: RunFolder) -> int | None:
    """The exit code of the worker's last end, as its step noted it; None when it was killed before it could."""
    path = folder.path / "exit.json"
    return int(read_json(path)["code"]) if path.exists() else None
