"""Choose the sandbox for candidates: containers, else bubblewrap, else nothing is run."""

from pathlib import Path
from typing import Literal

from repro.errors import SetupError
from repro.score.box import ExhaustedError, Sandbox
from repro.score.bubblewrap import find_bubblewrap
from repro.score.containers import Containers
from repro.score.unboxed import Unboxed

Kind = Literal["auto", "docker", "bubblewrap", "none"]


def choose(kind: Kind, cache: Path) -> Sandbox:
    """Return the named sandbox, or the first that works. Raises SetupError with every reason."""
    if kind == "docker":
        return _tried(_containers(cache))
    if kind == "bubblewrap":
        return _tried(find_bubblewrap())
    if kind == "none":
        return Unboxed()
    try:
        return _tried(_containers(cache))
    except SetupError as engine:
        try:
            return _tried(find_bubblewrap())
        except SetupError as bubblewrap:
            raise SetupError(
                f"no sandbox for code that a model wrote: {engine} / {bubblewrap} / or, for "
                "code that you trust as your "
                "own, --sandbox none"
            ) from None


def _containers(cache: Path) -> Sandbox:
    """Return the sandbox of containers. Raises SetupError."""
    from repro.execute.engine import engine
    from repro.execute.images.build import checked_image

    client = engine(timeout=300)  # a busy engine takes its time
    return Containers(client, checked_image(client, "cpu", cache))


def _tried(sandbox: Sandbox) -> Sandbox:
    """Return the sandbox after one empty box was ready and seen to be closed from inside.

    Raises SetupError.
    """
    from repro.score.attempt import attempt
    from repro.score.box import Closed

    try:
        box = sandbox.open()
        try:
            attempt(box, Closed(), [])
        finally:
            box.close()
    except ExhaustedError as gone:
        raise SetupError(
            f"sandbox {sandbox.kind}: a trial run in it failed ({gone}); try again, or another --sandbox"
        ) from None
    return sandbox
