"""`repro` with another models.yaml than the project's: python own_models.py MODELS.yaml ARGUMENTS…"""

import sys
from pathlib import Path

import repro.manifest.load as load
from repro.manifest.model import Model
from repro.manifest.yaml import read_yaml, validate

if __name__ == "__main__":
    own = Path(sys.argv[1])
    models = {key: validate(Model, {"id": key, **value}, str(own)) for key, value in read_yaml(own).items()}
    load.load_models = lambda: models  # type: ignore[assignment]  # before anybody has taken it from there

    from repro.cli import main

    sys.exit(main(sys.argv[2:]))
