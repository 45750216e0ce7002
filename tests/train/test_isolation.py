"""What a worker can see of its own isolation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from repro.train import isolation as module
from repro.train.isolation import isolation


def test_a_worker_without_a_network_says_so() -> None:
    """In a network of its own there is no route; on this machine there is one, where it has any."""
    code = "from repro.train.isolation import isolation; print(isolation()['network'])"
    shut = ["unshare", "--net", "--user", "--map-root-user", sys.executable, "-c", code]
    alone = subprocess.run(shut, capture_output=True, text=True, check=False)
    if alone.returncode:
        pytest.skip(f"no network namespaces for this user ({alone.stderr.strip()})")
    assert alone.stdout.strip() == "none"
    routes = Path("/proc/net/route").read_text().splitlines()[1:]
    default = any(line.split()[1] == "00000000" for line in routes)
    assert isolation()["network"] == "routed" or not default


def test_user_and_privileges_are_those_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = isolation()
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines()
    )
    assert found["user"] == os.getuid()
    assert found["capabilities"] == status["CapEff"]
    assert found["seccomp"] == status["Seccomp"]
    assert found["hub_offline"] == "1"
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert isolation()["hub_offline"] == "unset"


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        (("max", None), "none"),
        (("1000", None), 1000),
        ((None, "9223372036854771712"), "none"),
        (("3000", "2000"), 2000),
        ((None, None), "none"),
    ],
)
def test_the_memory_limit_is_the_smaller_one_that_is_a_limit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: tuple[str | None, str | None],
    limit: int | str,
) -> None:
    """As both versions of control groups write it; a huge number stands for no limit."""
    paths = (tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes")
    monkeypatch.setattr(module, "LIMITS", paths)
    for path, text in zip(paths, written, strict=True):
        if text is not None:
            path.write_text(f"{text}\n")
    assert isolation()["memory_limit"] == limit
