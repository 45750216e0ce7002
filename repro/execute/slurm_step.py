"""Run the worker on one folder as a Slurm job, and ask to be requeued at the time limit."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.evidence.folder import RunFolder
from repro.execute.cluster import Cluster
from repro.execute.given import worker_environment
from repro.execute.slurm_ask import Ask
from repro.execute.worker_command import run_command, run_inside
from repro.files import write_json
from repro.plan.image_lock import ImageName

DEAF = 'trap "" USR2; exec "$@"'
"""Shell prefix that ignores Slurm's warning of the time limit: it is for the step, and would end
the worker unsaved.
"""
OFFLINE = ("/usr/bin/unshare", "--user", "--map-current-user", "--net")
"""Pyxis leaves a container on the node's network: the worker gets its own network namespace, or
does not start.
"""
_GRACE = 25  # seconds between asking a worker to stop and insisting


@dataclass(frozen=True)
class SlurmStep:
    """One run on one node. Submitit stores it as a file, so it holds plain values only."""

    python: str
    folder: Path
    cache: Path
    cluster: Cluster
    image: ImageName
    ask: Ask

    def __call__(self) -> int:
        """Run the worker to its end.

        Return its exit code, also recorded beside the run for the host.
        """
        (self.folder / "exit.json").unlink(missing_ok=True)
        code = self._in_docker() if self.cluster.container == "docker" else self._as_process()
        write_json(self.folder / "exit.json", {"code": code})
        return code

    def checkpoint(self) -> Any:
        """Ask submitit to requeue the job near its time limit.

        The requeued job continues from the worker's own checkpoint.
        """
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _as_process(self) -> int:
        """Run the worker as a process; stop it when the job is requeued or cancelled."""
        environment = worker_environment(OMP_NUM_THREADS=str(self.cluster.cpus))
        command = ["/bin/sh", "-c", DEAF, "worker", *self._command()]
        with RunFolder(self.folder).open_log() as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        try:
            return process.wait()
        finally:  # Requeued or cancelled while waiting.
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()

    def _command(self) -> list[str]:
        """Return the command of the worker, in the cluster's kind of container."""
        if self.cluster.container == "none":
            return run_command(self.folder, self.cache, python=self.python)
        mounts = [f"{_mountable(self.folder)}:/evidence", f"{_mountable(self.cache)}:/cache:ro"]
        if self.cluster.container == "apptainer":
            shut = ["--containall", "--no-home", "--net", "--network=none", "--no-privs"]
            told = [
                f"--env=OMP_NUM_THREADS={self.cluster.cpus}",
                *(f"--bind={mount}" for mount in mounts),
            ]
            gpu = ["--nv"] if self.ask.gpus else []
            command = ["apptainer", "exec", *shut, *gpu, *told, str(self.cluster.image)]
            return [*command, *run_inside()]
        options = [
            f"--container-mounts={','.join(mounts)}",
            "--no-container-mount-home",
            "--container-readonly",
        ]
        image = f"--container-image={self.cluster.image}"
        command = ["srun", "--overlap", "--ntasks=1", image, *options, *OFFLINE]
        return [*command, *run_inside()]

    def _in_docker(self) -> int:
        """Run the worker in a Docker container and return its exit code."""
        from repro.execute.container import ContainerLimits, ContainerRunner
        from repro.execute.engine import engine
        from repro.execute.gpu_access import way_through
        from repro.execute.images.build import checked_image

        client = engine()
        limits = ContainerLimits(self.cluster.cpus, int(self.ask.memory_gib * 2**30))
        image, gpus = (
            checked_image(client, self.image, self.cache),
            os.environ.get("SLURM_JOB_GPUS", ""),
        )
        way = way_through(client.info()) if gpus else None
        runner = ContainerRunner(
            client, image, self.cache, self.folder.parents[2], limits, gpus, way
        )
        (job,) = runner.start([RunFolder(self.folder)])
        try:
            while (code := job.poll()) is None:
                time.sleep(1)
            if not job.folder.done():  # The host reads the reason from the log.
                with job.folder.open_log() as log:
                    log.write(f"container: {job.problem(code)}\n".encode())
            return code
        finally:
            job.stop()


def _mountable(path: Path) -> Path:
    """Return the path. Raises SetupError for one that the clusters' containers cannot mount."""
    if any(sign in str(path) for sign in ":,"):
        raise SetupError(
            f"{path}: a colon or comma in it ends a mount of Apptainer or Pyxis; choose another "
            "folder"
        )
    return path
