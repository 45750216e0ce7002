"""What was read from a streamed model was there from the beginning of reading to its end."""

import threading
import time
from pathlib import Path

import pytest

from repro.cache import ARRIVED_FILE
from repro.diagnose.arrivals import arrivals
from repro.errors import SetupError
from repro.files import write_json


def tell(folder: Path, shards: dict[str, int]) -> None:
    """Say what the host would."""
    write_json(folder / ARRIVED_FILE, shards)


def test_it_waits_until_all_are_whole(tmp_path: Path) -> None:
    shown: list[str] = []

    def come() -> None:
        time.sleep(0.3)
        tell(tmp_path, {"a": 1})
        time.sleep(0.3)
        tell(tmp_path, {"a": 1, "b": 2})

    begun = time.monotonic()
    threading.Thread(target=come).start()
    with arrivals(tmp_path, shown.append)([tmp_path / "b", tmp_path / "a"]):
        assert time.monotonic() - begun >= 0.6
    assert set(shown) == {"waiting for a, b"}


@pytest.mark.parametrize("after", [{}, {"a": 2}], ids=["gone", "gone and come again"])
def test_one_that_went_meanwhile_is_no_weight(tmp_path: Path, after: dict[str, int]) -> None:
    tell(tmp_path, {"a": 1})
    waiting = arrivals(tmp_path, print)
    with waiting([tmp_path / "a"]):
        tell(tmp_path, {"a": 1, "b": 2})  # another one is no matter
    with pytest.raises(SetupError, match="a went while it was read"), waiting([tmp_path / "a"]):
        tell(tmp_path, after)
