"""What the verbs share: the type of the collection that they register in, and paths as users give them."""

import argparse
import os
from pathlib import Path
from typing import TypeAlias

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def own_path(given: str) -> Path:
    """A file that a user names; `~` is the home folder, which a shell leaves alone after `=`."""
    return Path(os.path.expanduser(given))
