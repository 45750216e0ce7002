"""`repro doctor` tells what is here from what is not, and says what would help; each answer is seen
both ways.
"""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from repro.execute.device import Gpu
from repro.machine.abilities import Ability, abilities, fits_here
from repro.machine.places import check_places
from repro.manifest.load import experiment_names
from repro.shipped import lock_in_use

Command = Callable[..., CompletedProcess[str]]
NOWHERE = Path("/proc/nowhere")
"""A file system without a byte to spare."""


def found(what: str, tmp_path: Path, **given: Path) -> Ability:
    """What the doctor says of one thing."""
    everything = [
        *abilities(**{"cache": tmp_path, "results": tmp_path, **given}),
        *check_places(tmp_path),
    ]
    return next(ability for ability in everything if ability.what.startswith(what))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the only place where programs are looked for."""
    (tmp_path / "programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    return tmp_path / "programs"


def test_each_disk_is_judged_by_itself(tmp_path: Path) -> None:
    """Where there is room, and where there is none."""
    assert found("disk for results", tmp_path).able
    assert found("disk for results", tmp_path, cache=NOWHERE).able
    full = found("disk for models", tmp_path, cache=NOWHERE)
    assert (full.able, full.found) == (False, "0 GiB free at /proc")
    assert "REPRO_CACHE" in full.remedy


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("cpu", ("numpy==", "numpy==0.0."), "not the locked versions: numpy "),
        ("cuda", ("numpy==", "nvidia-nothing==1\nnumpy=="), "packages are absent: nvidia-nothing"),
    ],
    ids=["another version", "an absent package"],
)
def test_packages_are_held_against_the_lock(
    tmp_path: Path, name: str, change: tuple[str, str], words: str
) -> None:
    """The environment of the tests is as locked; against a lock that says otherwise it is not."""
    assert found("worker", tmp_path).able
    other = tmp_path / f"{name}.lock"
    other.write_text(lock_in_use().read_text().replace(*change))
    ability = found("worker", tmp_path, lock=other)
    assert not ability.able
    assert words in ability.found
    assert "make setup" in ability.remedy


def test_a_package_that_computes_nothing_keeps_nobody_from_running(tmp_path: Path) -> None:
    """An optional generator that is absent, a table library in another version: told, and no more."""
    other = tmp_path / "cpu.lock"
    other.write_text(lock_in_use().read_text().replace("rich==", "not-a-generator==1\nrich==0.0."))
    ability = found("worker", tmp_path, lock=other)
    assert ability.able
    assert "without effect on numbers: not-a-generator absent, rich " in ability.found


class Answer(BaseHTTPRequestHandler):
    """A hub that has no page to show."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def hub() -> Iterator[str]:
    """The address of a server that answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Portal(Answer):
    """A page to sign in at, whatever is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>please sign in</html>")


def test_a_page_to_sign_in_at_is_no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    ability = found("model hub", tmp_path)
    server.shutdown()
    server.server_close()
    assert not ability.able
    assert ability.found.endswith("what answers is no model hub")


def test_a_hub_answers_or_does_not_or_is_switched_off(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where it does not, the models that need none are named."""
    monkeypatch.setenv("HF_ENDPOINT", hub)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert found("model hub", tmp_path).able
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert found("model hub", tmp_path).found == "switched off by HF_HUB_OFFLINE"
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    silent = found("model hub", tmp_path)
    assert (silent.able, silent.found) == (False, "http://127.0.0.1:9 does not answer")
    assert "smollm2-135m" in silent.remedy
    assert "qwen2.5-coder-7b" not in silent.remedy


def test_manifests_fit_by_their_largest_run() -> None:
    """None in no memory, all in enough, and never fewer in more; on GPUs the smallest card decides.

    What smoke needs is not written here: torch's CUDA build takes more.
    """
    smoke = next(fit.gibibytes for fit in fits_here(1e4, cards=[]) if fit.manifest == "smoke")
    fitting = [
        {fit.manifest for fit in fits_here(memory, cards=[]) if fit.fits}
        for memory in (0.1, 0.99 * smoke, smoke, 4.0, 16.0, 1e4)
    ]
    assert fitting[0] == set()
    assert "smoke" not in fitting[1]
    assert "smoke" in fitting[2]
    assert "scale_ladder_laptop" not in fitting[2]
    assert "base_geometry" in fitting[4], "block by block: 32B in 16 GiB"
    assert "scale_ladder" not in fitting[4], "its runs train"
    assert fitting[-1] == set(experiment_names())
    assert all(less <= more for less, more in pairwise(fitting))
    cards = [Gpu("small", 8.0, "1"), Gpu("large", 1e4, "1")]
    assert {fit.manifest for fit in fits_here(1e4, cards) if fit.fits} < set(experiment_names())
    assert {fit.manifest for fit in fits_here(0.1, cards[1:]) if fit.fits} == set(
        experiment_names()
    )
    assert {fit.manifest: fit.hub for fit in fits_here()}.items() >= {
        "smoke": False,
        "scale_ladder": True,
    }.items()
