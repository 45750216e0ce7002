"""`repro doctor` tells where workers could run besides the processor, and what would help."""

from pathlib import Path
from typing import Any

import pytest

from repro.execute.device import Gpu, gpus
from repro.execute.gpu_access import DRIVER
from repro.machine.abilities import Ability
from repro.machine.places import check_places


def found(what: str, tmp_path: Path) -> Ability:
    """What is said of one place."""
    return next(place for place in check_places(tmp_path) if place.what.startswith(what))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the only place where programs are looked for."""
    (tmp_path / "programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    return tmp_path / "programs"


def test_an_engine_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the socket that was tried and how to start it."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    ability = found("containers", tmp_path)
    assert not ability.able
    assert (
        f"{tmp_path}/engine.sock: does not answer (No such file or directory); start it"
        in ability.remedy
    ), "in the system's own words, without those of a library"
    assert "--runner" not in ability.remedy


def test_an_engine_that_answers_is_named(client: Any, tmp_path: Path) -> None:
    """With its version, and each image and the way to the GPUs on a line of its own, whether or not
    they are there.
    """
    assert client.version()["Version"] in found("containers", tmp_path).found
    for name in ("cpu", "cuda"):
        ability = found(f"image {name}", tmp_path)
        assert ability.able or f"repro images {name}" in ability.remedy
    assert found("GPUs in containers", tmp_path).found


@pytest.mark.usefixtures("programs")
def test_no_cluster_and_no_gpu_are_no_errors(tmp_path: Path) -> None:
    """They are told, with what would help; nothing needs them."""
    for what, remedy in (("cluster", "no command sinfo here"), ("GPU", "nvidia-smi")):
        ability = found(what, tmp_path)
        assert not ability.able
        assert not ability.needed
        assert remedy in ability.remedy


def test_what_the_driver_prints_is_read(programs: Path, tmp_path: Path) -> None:
    """A stand-in for nvidia-smi, which needs a GPU: one that prints two cards, then one that fails."""
    program = programs / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'A100, 40960, 550.54'\necho 'A100, 81920, 550.54'\n")
    program.chmod(0o755)
    assert gpus() == [Gpu("A100", 40.0, "550.54"), Gpu("A100", 80.0, "550.54")]
    old = found("GPU", tmp_path)
    assert old.found.startswith("A100 (40 GiB, driver 550.54), A100 (80 GiB")
    assert (old.able, f"install {DRIVER} or later" in old.remedy) == (False, True)
    program.write_text(f"#!/bin/sh\necho 'A100, 81920, {DRIVER}'\n")
    seen = found("GPU", tmp_path)  # and torch finds none: no card is there
    assert (seen.able, "but torch" in seen.remedy) == (False, True)
    program.write_text("#!/bin/sh\necho 'no devices were found'\nexit 9\n")
    assert gpus() == []


def test_a_cluster_that_answers_is_told_with_its_nodes(programs: Path, tmp_path: Path) -> None:
    """The control is one whose controller is silent."""
    sinfo = programs / "sinfo"
    sinfo.write_text(
        '#!/bin/sh\nif [ "$1" = --version ]; then echo "slurm 22.05.8"; else echo n1; echo n2; fi\n'
    )
    sinfo.chmod(0o755)
    cluster = found("cluster", tmp_path)
    assert (cluster.able, cluster.found) == (True, "slurm 22.05.8, 2 nodes")
    sinfo.write_text("#!/bin/sh\necho 'no controller' >&2\nexit 1\n")
    cluster = found("cluster", tmp_path)
    assert not cluster.able
    assert "no controller" in cluster.remedy


def test_a_card_that_is_not_to_be_used_is_told(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (programs / "nvidia-smi").write_text(f"#!/bin/sh\necho 'A100, 81920, {DRIVER}'\n")
    (programs / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("TORCH", "cpu")
    card = found("GPU", tmp_path)
    assert card.able
    assert card.found == f"A100 (80 GiB, driver {DRIVER}); not used: TORCH=cpu was chosen"
