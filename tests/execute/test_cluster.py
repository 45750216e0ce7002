"""What a cluster's file may say, and how submitit is asked for it."""

import os
from pathlib import Path

import pytest

from repro.errors import ManifestError
from repro.execute.cluster import PASSED_ON, Cluster, load_cluster


def test_submitit_is_asked_in_its_own_words() -> None:
    """No card is not asked for at all: a cluster without GPUs knows no such resource."""
    asked = Cluster(partition="long", cpus=3).parameters(90, 12.0, 0)
    assert (asked["timeout_min"], asked["mem_gb"]) == (90, 12.0)
    assert (asked["cpus_per_task"], asked["slurm_partition"]) == (3, "long")
    assert "gpus_per_node" not in asked
    assert Cluster().parameters(90, 12.0, 2)["gpus_per_node"] == 2


@pytest.mark.parametrize("field", [*PASSED_ON, "wckey"])
def test_a_field_that_is_not_set_reaches_no_script(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that is set stands in it, as sbatch reads it. submitit writes no script where it finds
    no srun, which nobody calls here.
    """
    import submitit

    (tmp_path / "srun").write_text("#!/bin/sh\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def script(cluster: Cluster) -> str:
        executor = submitit.SlurmExecutor(folder=tmp_path)
        words = {
            name.removeprefix("slurm_"): value
            for name, value in cluster.parameters(90, 12.0, 0).items()
        }
        renamed = {"name": "job_name", "timeout_min": "time", "mem_gb": "mem"}
        executor.update_parameters(**{renamed.get(key, key): words[key] for key in words})
        return str(executor._make_submission_file_text("python -m x", "1"))

    option = f"#SBATCH --{field.replace('_', '-')}="
    assert option not in script(Cluster())
    assert f"{option}long\n" in script(Cluster.model_validate({field: "long"}))
    assert "srun --unbuffered" in script(Cluster(cpus=3))
    assert "--cpus-per-task=3" in script(Cluster(cpus=3)).split("# command")[1]


@pytest.mark.parametrize(
    ("written", "accepted"),
    [
        ("container: apptainer", False),
        ("container: apptainer\nimage: a.sif", True),
        ("container: docker", True),
    ],
)
def test_a_cluster_file_says_what_its_containers_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, accepted: bool
) -> None:
    """Refused before anything is submitted; docker's image is that of docker/images.lock."""
    (tmp_path / "cluster.yaml").write_text(written)
    monkeypatch.setenv("REPRO_SLURM", str(tmp_path / "cluster.yaml"))
    if accepted:
        assert load_cluster().container in written
    else:
        with pytest.raises(ManifestError, match="container apptainer needs field image"):
            load_cluster()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("minutes: 1", r"cluster\.yaml: field minutes: .*greater than 1"),
        ("cpus: 0", r"cluster\.yaml: field cpus: .*greater than 0"),
        ("gpu: 1", r"cluster\.yaml: field gpu: "),
        ("container: podman", r"cluster\.yaml: field container: .*podman"),
        ("- cpus", r"cluster\.yaml: "),
    ],
)
def test_a_wrong_field_of_a_cluster_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, told: str
) -> None:
    (tmp_path / "cluster.yaml").write_text(written)
    monkeypatch.setenv("REPRO_SLURM", str(tmp_path / "cluster.yaml"))
    with pytest.raises(ManifestError, match=told):
        load_cluster()


def test_without_a_file_a_job_asks_for_nothing_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPRO_SLURM", raising=False)
    assert load_cluster() == Cluster()
    asked = load_cluster().parameters(5, 1.5, 0)
    assert not {f"slurm_{name}" for name in PASSED_ON} & asked.keys()
    assert asked["slurm_wckey"] is None, "submitit would write one of its own"
