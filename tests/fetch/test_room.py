"""Whether the disk holds what is still to be fetched is known before the first byte."""

from pathlib import Path

import pytest

from repro.cli import main
from repro.errors import SetupError
from repro.fetch import models
from repro.fetch.models import check_room
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment


def test_models_that_do_not_fit_the_disk_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them alone may fit; what is here already needs no room."""
    runs = expand(load_experiment("scale_ladder"), local_environment())
    monkeypatch.setattr(
        models.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 70 * 2**30})
    )
    with pytest.raises(
        SetupError, match=r"models need 1\d\d GiB more, 70 are free at .*--only"
    ) as refused:
        check_room(runs, tmp_path)
    assert "--stream" not in str(refused.value), "what trains needs its models whole"
    small = [run for run in runs if "7b" in run.model.id]
    check_room(small, tmp_path)
    for model in {run.model.folder for run in runs if "32b" in run.model.id}:
        (tmp_path / "models" / model).mkdir(parents=True)
        (tmp_path / "models" / model / "identity.json").write_text("{}")
    check_room(runs, tmp_path)


@pytest.mark.parametrize("verb", ["fetch", "run"])
def test_a_disk_that_is_too_small_is_told_before_any_text_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """Some probe sets of this manifest come from the hub too."""
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("REPRO_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(
        models.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 7 * 2**30})
    )
    assert main([verb, "probe_validation", "--base"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"repro {verb}: models need ")
    assert "7 are free" in said.err
    assert "repro fetch --stream" in said.err
    assert "fetching the texts" not in said.out
