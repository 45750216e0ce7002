"""`repro` with another models.yaml than the project's: python own_models.py MODELS.yaml ARGUMENTS…"""

import sys
from functools import cache
from pathlib import Path

import repro.manifest.load as load
from repro.manifest.model import Model
from repro.manifest.yaml import read_catalogue


@cache
def own_models() -> dict[str, Model]:
    """What stands in for the project's models."""
    path = Path(sys.argv[1])
    return {
        key: load.read_model(key, fields, f"{path}: {key}")
        for key, fields in read_catalogue(path).items()
    }


if __name__ == "__main__":
    load.load_models = own_models  # before anybody has taken the project's from there

    from repro.cli import main

    sys.exit(main(sys.argv[2:]))
