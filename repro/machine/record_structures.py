"""`make structures`: build every known model without weights, and write the package's file.

Each model is built under every manifest's adapter. Needed after a change of models.yaml, of a
manifest's adapter or of the packages that build; a test says when.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from repro.machine.structures import Wanted, structures, wanted_by
from repro.manifest.load import experiment_names, load_experiment, load_models
from repro.manifest.training import Training
from repro.plan.built import BUILT_FILE, write_packaged
from repro.plan.expand import expand, local_environment
from repro.plan.structure import Structure


def everything() -> dict[str, Wanted]:
    """Return every structure that a claim or run of the package's own manifests may need, by
    key.
    """
    return {one.key(): one for one in _asked()}


def _asked() -> Iterator[Wanted]:
    """Yield every model under every protocol of the package's manifests."""
    manifests = [load_experiment(name) for name in experiment_names()]
    for model in load_models().values():
        for training in (Training(), *(manifest.training for manifest in manifests)):
            yield Wanted(model, training)
    for manifest in manifests:
        yield from map(wanted_by, expand(manifest, local_environment()))


def built_anew() -> dict[str, tuple[Wanted, Structure]]:
    """Build all of them with the worker's packages, whatever is recorded."""
    wanted = everything()
    with tempfile.TemporaryDirectory() as folder:
        found = structures(
            wanted.values(), Path(folder), lambda words: print(words, file=sys.stderr), known={}
        )
    return {key: (one, record) for (key, one), record in zip(wanted.items(), found, strict=True)}


def main() -> None:
    """Write the file and print what it holds."""
    records = [(one.model, key, record) for key, (one, record) in built_anew().items()]
    write_packaged(records)
    print(
        f"{len(records)} structures of {len({model.id for model, _, _ in records})} models in "
        f"{BUILT_FILE}"
    )


if __name__ == "__main__":
    main()
