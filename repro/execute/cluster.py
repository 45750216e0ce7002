"""How jobs are submitted on this cluster: the YAML file that REPRO_SLURM names, or these defaults."""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from repro.frozen import Frozen
from repro.manifest.yaml import read_yaml, validate


class Cluster(Frozen):
    """What a job asks for, and how its worker is shut in on the node."""

    partition: str | None = None
    account: str | None = None
    minutes: int | None = Field(None, gt=1, le=1_000_000)
    """Time limit of one job; a longer run is requeued and goes on. What the plan says, unless given here."""
    cpus: int = Field(1, gt=0, le=65_536)
    memory_gib: float | None = Field(None, gt=0, le=1_000_000)
    """Memory of the node for one job. What the plan says, unless given here."""
    gpus: int | None = Field(None, ge=0, le=65_536)
    """GPUs of one job. What the plan says for a manifest that asks for image cuda, unless given here."""
    container: Literal["none", "docker", "apptainer", "pyxis"] = "none"
    image: str | None = None
    """Apptainer: path of the .sif file; Pyxis: what --container-image takes. Docker uses docker/images.lock."""

    @model_validator(mode="after")
    def _image_is_named(self) -> Self:
        if self.container in ("apptainer", "pyxis") and self.image is None:
            raise ValueError(f"container {self.container} needs field image: what it runs")
        return self

    def parameters(self, minutes: int, memory_gib: float, gpus: int) -> dict[str, Any]:
        """Return submitit's names for what jobs ask for: these three, and what is the cluster's."""
        asked = {
            "name": "repro",
            "timeout_min": minutes,
            "cpus_per_task": self.cpus,
            "mem_gb": memory_gib,
            "gpus_per_node": gpus or None,
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_additional_parameters": {"requeue": True},
        }
        return {key: value for key, value in asked.items() if value is not None}


def load_cluster() -> Cluster:
    """The cluster's settings. Raises ManifestError for a file that cannot be accepted."""
    given = os.environ.get("REPRO_SLURM")
    return validate(Cluster, read_yaml(Path(given)), given) if given else Cluster()
