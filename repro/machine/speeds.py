"""Measure the card or the core at hand, and keep its profile where plans look for it."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from repro.cache import profile_file
from repro.cost.profiles import CORE, Speeds
from repro.errors import SetupError
from repro.evidence.folder import read_json
from repro.execute.device import planned_gpus, require_usable
from repro.execute.worker_command import call_worker
from repro.files import write_json

_SPREAD = 1.25
"""Factor by which a run may differ from what these speeds tell, either way."""


def measure(cache: Path, seconds: float = 1.0) -> Speeds:
    """Measure the first card, or one core where there is none; write its profile to the cache.

    `seconds`: how long each measurement is repeated. Raises SetupError when the worker cannot.
    """
    cards = planned_gpus()[:1]
    require_usable(cards)
    with tempfile.TemporaryDirectory(prefix="repro-") as folder:
        file = Path(folder) / "speeds.json"
        spec = {"device": "cuda" if cards else "cpu", "seconds": seconds, "destination": str(file)}
        if problem := call_worker("speeds", spec):
            raise SetupError(f"speeds could not be measured: {problem}")
        found = read_json(file)
    profile = Speeds(
        name=cards[0].name if cards else CORE,
        gibibytes=cards[0].gibibytes if cards else None,
        measured=f"{datetime.now(UTC):%Y-%m-%d}",
        spread=_SPREAD,
        **found,
    )
    destination = profile_file(cache, profile.name)
    destination.parent.mkdir(parents=True, exist_ok=True)
    write_json(destination, profile.model_dump(mode="json"))
    return profile
