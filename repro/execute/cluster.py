"""Configure how jobs are submitted: from the YAML file in REPRO_SLURM, or with defaults."""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from repro.frozen import Frozen
from repro.manifest.yaml import read_yaml, validate

PASSED_ON = (
    "partition", "account", "qos", "constraint", "gres", "exclude", "mail_user", "mail_type",
)  # fmt: skip
"""Fields that sbatch is given as they are, where they are set."""


class Cluster(Frozen):
    """The resources of a job, and the confinement of its worker on the node."""

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    """Features that a node must have."""
    gres: str | None = None
    """Generic resources as Slurm spells them, for clusters where GPUs are not asked for as GPUs."""
    exclude: str | None = None
    """Nodes to keep away from."""
    wckey: str | None = None
    """Workload characterisation key, for clusters that check it."""
    mail_user: str | None = None
    mail_type: str | None = None
    minutes: int | None = Field(None, gt=1, le=1_000_000)
    """Time limit of one job; a longer run is requeued and continues. Default: the plan's."""
    cpus: int = Field(1, gt=0, le=65_536)
    memory_gib: float | None = Field(None, gt=0, le=1_000_000)
    """Memory of the node for one job. Default: the plan's."""
    gpus: int | None = Field(None, ge=0, le=65_536)
    """GPUs of one job. Default: the plan's, for a manifest that asks for image cuda."""
    container: Literal["none", "docker", "apptainer", "pyxis"] = "none"
    image: str | None = None
    """Apptainer: path of the .sif file; Pyxis: the argument of --container-image.

    Docker uses docker/images.lock.
    """

    @model_validator(mode="after")
    def _image_is_named(self) -> Self:
        """Require an image for containers that do not use docker/images.lock."""
        if self.container in ("apptainer", "pyxis") and self.image is None:
            raise ValueError(f"container {self.container} needs field image: what it runs")
        return self

    def parameters(self, minutes: int, memory_gib: float, gpus: int) -> dict[str, Any]:
        """Return submitit's parameters of a job: these three, and the cluster's own."""
        asked = {
            "name": "repro",
            "timeout_min": minutes,
            "cpus_per_task": self.cpus,
            "mem_gb": memory_gib,
            "gpus_per_node": gpus or None,
            "slurm_additional_parameters": {"requeue": True},
            # since Slurm 22.05 a step does not inherit the processors of its job
            "slurm_srun_args": [f"--cpus-per-task={self.cpus}"],
            **{f"slurm_{name}": getattr(self, name) for name in PASSED_ON},
        }
        found = {key: value for key, value in asked.items() if value is not None}
        return {**found, "slurm_wckey": self.wckey}  # submitit writes one of its own unless told


def load_cluster() -> Cluster:
    """Return the cluster's settings. Raises ManifestError for an invalid file."""
    given = os.environ.get("REPRO_SLURM")
    return validate(Cluster, read_yaml(Path(given)), given) if given else Cluster()
