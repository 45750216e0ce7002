"""What a Slurm job does on its node: run the worker on one folder, and ask to be requeued when its time is up."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.evidence.folder import RunFolder
from repro.execute.cluster import Cluster
from repro.execute.given import given
from repro.execute.slurm_ask import Ask
from repro.files import write_json
from repro.plan.image_lock import Name

DEAF = 'trap "" USR2; exec "$@"'
"""Slurm warns a whole step of its time limit; the warning is for the step, and would end the worker unsaved."""
OFFLINE = ("/usr/bin/unshare", "--user", "--map-current-user", "--net")
"""Pyxis leaves a container on the node's network: the worker gets a network namespace of its own, or does not start."""
GRACE = 25  # seconds between asking a worker to stop and insisting


@dataclass(frozen=True)
class Step:
    """One run on one node. Submitit keeps it as a file, so it holds plain values only."""

    python: str
    folder: Path
    cache: Path
    cluster: Cluster
    image: Name
    ask: Ask

    def __call__(self) -> int:
        """Run the worker to its end; its exit code, noted beside the run for the host."""
        (self.folder / "exit.json").unlink(missing_ok=True)
        code = self._in_docker() if self.cluster.container == "docker" else self._as_process()
        write_json(self.folder / "exit.json", {"code": code})
        return code

    def checkpoint(self) -> Any:
        """The time limit is near: the worker's own checkpoint is what the requeued job goes on from."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _as_process(self) -> int:
        environment = given(OMP_NUM_THREADS=str(self.cluster.cpus))
        command = ["/bin/sh", "-c", DEAF, "worker", *self._command()]
        with RunFolder(self.folder).open_log() as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            return process.wait()
        finally:  # requeued or cancelled while waiting
            process.terminate()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()

    def _command(self) -> list[str]:
        if self.cluster.container == "none":
            return [self.python, "-m", "repro.worker", "run", str(self.folder), "--cache", str(self.cache)]
        inside = ["-m", "repro.worker", "run", "/evidence", "--cache", "/cache"]
        mounts = [f"{_mountable(self.folder)}:/evidence", f"{_mountable(self.cache)}:/cache:ro"]
        if self.cluster.container == "apptainer":
            shut = ["--containall", "--no-home", "--net", "--network=none", "--no-privs"]
            told = [f"--env=OMP_NUM_THREADS={self.cluster.cpus}", *(f"--bind={mount}" for mount in mounts)]
            gpu = ["--nv"] if self.ask.gpus else []
            command = ["apptainer", "exec", *shut, *gpu, *told, str(self.cluster.image)]
            return [*command, "/opt/venv/bin/python", *inside]
        options = [f"--container-mounts={','.join(mounts)}", "--no-container-mount-home", "--container-readonly"]
        image = f"--container-image={self.cluster.image}"
        command = ["srun", "--overlap", "--ntasks=1", image, *options, *OFFLINE]
        return [*command, "/opt/venv/bin/python", *inside]

    def _in_docker(self) -> int:
        from repro.execute.container import ContainerRunner, Limits
        from repro.execute.engine import engine
        from repro.execute.gpu_access import way_through
        from repro.execute.images import checked_image

        client = engine()
        limits = Limits(self.cluster.cpus, int(self.ask.memory_gib * 2**30))
        image, gpus = checked_image(client, self.image, self.cache), os.environ.get("SLURM_JOB_GPUS", "")
        way = way_through(client.info()) if gpus else None
        runner = ContainerRunner(client, image, self.cache, self.folder.parents[2], limits, gpus, way)
        (job,) = runner.start([RunFolder(self.folder)])
        try:
            while (code := job.poll()) is None:
                time.sleep(1)
            if not job.folder.done():  # the host has nothing but the log to tell why
                with job.folder.open_log() as log:
                    log.write(f"container: {job.problem(code)}\n".encode())
            return code
        finally:
            job.stop()


def _mountable(path: Path) -> Path:
    """The path itself. Raises SetupError for one that the clusters' containers cannot be told."""
    if any(sign in str(path) for sign in ":,"):
        raise SetupError(f"{path}: a colon or comma in it ends a mount of Apptainer or Pyxis; choose another folder")
    return path
