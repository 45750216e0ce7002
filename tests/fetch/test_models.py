"""Two processes that fetch into one cache: the second waits, and takes what the first has brought."""

import shutil
import subprocess
import threading
from pathlib import Path

from repro.fetch.models import fetch_models
from repro.manifest.load import load_models


def test_a_second_fetch_waits_for_the_first(tmp_path: Path, tiny_llama: Path) -> None:
    """While another process fetches into the same cache; then it finds what that one brought."""
    model = load_models()["tiny-llama"]
    said: list[str] = []
    lock = tmp_path / "models" / ".fetch.lock"
    lock.parent.mkdir()
    holder = subprocess.Popen(["flock", str(lock), "cat"], stdin=subprocess.PIPE)
    waiting = threading.Thread(target=fetch_models, args=([model], tmp_path, said.append))
    try:
        while (
            subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode == 0
        ):
            pass  # the other process is not there yet
        waiting.start()
        while not said:
            waiting.join(0.05)
        assert said == [f"another repro fetches into {lock.parent}; waiting for it"]
        shutil.copytree(tiny_llama, lock.parent / model.folder)
    finally:
        holder.communicate()
    waiting.join()
    assert len(said) == 1, "nothing was fetched again"
