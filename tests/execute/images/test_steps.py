"""The steps of an image: what a container is given, what is kept of it, and what a failure says."""

import io
import re
import tarfile
from types import SimpleNamespace
from typing import Any

import pytest

from repro.errors import SetupError
from repro.execute.images.steps import BUILD_ENVIRONMENT, IMAGE_PYTHON, tag, with_worker
from repro.plan.code import PACKAGE


class StandIn:
    """An engine that notes what it is asked for; its container ends with this code."""

    def __init__(self, code: int = 0, said: bytes = b"") -> None:
        self.code, self.said = code, said
        self.asked: dict[str, Any] = {}
        self.removed: list[str] = []
        self.old = SimpleNamespace(id="old", tags=[], reload=lambda: None)
        self.images = SimpleNamespace(list=lambda _: [self.old], remove=self.removed.append)
        self.containers = self

    def create(self, image: str, **given: Any) -> "StandIn":
        self.asked |= {"image": image, **given}
        return self

    def start(self) -> None:
        self.asked["started"] = True

    def wait(self, **_: Any) -> dict[str, int]:
        return {"StatusCode": self.code}

    def logs(self) -> bytes:
        return self.said

    def put_archive(self, at: str, content: bytes) -> None:
        self.asked[f"put {at}"] = content

    def commit(self, repository: str, version: str, changes: list[str]) -> Any:
        self.asked |= {"name": f"{repository}:{version}", "changes": changes}
        return SimpleNamespace(id="new")

    def remove(self, **_: Any) -> None:
        self.removed.append("container")


def test_an_image_is_named_for_the_workers_sources() -> None:
    assert re.fullmatch(r"repro-cpu:[0-9a-f]{12}", tag("cpu"))
    assert tag("cpu").split(":")[1] == tag("cuda").split(":")[1]


def test_the_worker_is_put_into_a_container_without_network_and_kept_under_its_name() -> None:
    """The sources of this checkout, without what an interpreter left beside them."""
    engine = StandIn()
    with_worker(engine, "cpu", "packages")
    asked = engine.asked
    assert (asked["image"], asked["network_mode"], asked["name"]) == (
        "packages",
        "none",
        tag("cpu"),
    )
    assert asked["started"]
    with tarfile.open(fileobj=io.BytesIO(asked["put /opt"])) as archive:
        found = {item.name: archive.extractfile(item).read() for item in archive}  # type: ignore[union-attr]  # files alone
        assert {item.mtime for item in archive} == {1_700_000_000}
    assert found["repro/repro/worker/session.py"] == (PACKAGE / "worker/session.py").read_bytes()
    assert not [name for name in found if "__pycache__" in name]
    assert "USER 10001:10001" in asked["changes"]
    assert f'ENTRYPOINT ["{IMAGE_PYTHON}", "-m", "repro.worker"]' in asked["changes"]
    assert {f"ENV {name}={value}" for name, value in BUILD_ENVIRONMENT.items()} <= {
        *asked["changes"]
    }


@pytest.mark.parametrize("tags", [[], ["repro-cpu:other"]])
def test_an_image_that_lost_its_name_is_removed_and_one_that_kept_one_is_not(
    tags: list[str],
) -> None:
    engine = StandIn()
    engine.old.tags = tags
    with_worker(engine, "cpu", "packages")
    assert engine.removed == ["container", *([] if tags else ["old"])]


@pytest.mark.parametrize(
    ("said", "told"),
    [(b"1\n2\n3\nno \xff space\n", r"\(2 / 3 / no \S space\)"), (b"", r"\(no output\)")],
)
def test_a_step_that_fails_says_its_last_lines_and_leaves_no_container(
    said: bytes, told: str
) -> None:
    engine = StandIn(1, said)
    with pytest.raises(SetupError, match=rf"^image: a step of its build failed {told}; see "):
        with_worker(engine, "cpu", "packages")
    assert engine.removed == ["container"]
    assert "changes" not in engine.asked
