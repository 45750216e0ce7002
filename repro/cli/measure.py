"""`repro measure`: every diagnostic on a user's own activations."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.cli.verbs import own_path
from repro.files import is_folder

if TYPE_CHECKING:
    from repro.geometry.labels import Labels
    from repro.geometry.undefined import Array


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "measure",
        help="every diagnostic on your own activations, or on a model's",
        description="Measure the geometry of labelled activations: accuracies, directions, damage, "
        "entanglement "
        "intensity with its interval, nulls, scale sweep and other readings, margin, similarity. "
        "Give --activations and --labels, or --model and --probes.",
    )
    verb.add_argument(
        "--activations",
        type=own_path,
        metavar="X.npz",
        help="matrix under key `activations`; npz or safetensors",
    )
    verb.add_argument(
        "--labels", type=own_path, metavar="L.csv", help="one column per concept, row per probe"
    )
    verb.add_argument(
        "--model",
        metavar="DIR",
        help="folder of a Qwen2, Llama or Mistral model of any size: safetensors and tokenizer; or "
        "its name on the hub, as Qwen/Qwen2.5-Coder-7B; it is read block by block, in float32",
    )
    verb.add_argument(
        "--revision",
        metavar="REV",
        help="commit, branch or tag of a model on the hub (default: what the manifests pin, else "
        "the newest; said and recorded)",
    )
    verb.add_argument(
        "--probes", metavar="SET", help="probe set: its name under probes/, or its folder"
    )
    verb.add_argument("--json", action="store_true", help="print JSON instead of tables")
    verb.add_argument(
        "--quick",
        action="store_true",
        help="leave out interval, nulls, scale sweep and specifications",
    )
    verb.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    """Measure, and print the record or the tables."""
    from repro.measure import alone, measure, record

    X, labels, origin = _given(arguments)
    measured = measure(X, labels, quick=arguments.quick)
    if arguments.json:
        print(json.dumps({**record(measured), **origin}, indent=2, allow_nan=False))
        if note := alone(measured):
            print(f"repro measure: {note}", file=sys.stderr)
        return 0
    from repro.report.terminal.measure import show_measures

    show_measures(measured)
    return 0


def _given(arguments: argparse.Namespace) -> "tuple[Array, Labels, dict[str, Any]]":
    """Return the activations, the labels, and where a hub's model came from, as the options say.

    Raises InputError.
    """
    from repro.errors import InputError
    from repro.measure import alike, read_activations, read_labels

    pairs = {
        ("--activations", "--labels"): (arguments.activations, arguments.labels),
        ("--model", "--probes"): (arguments.model, arguments.probes),
    }
    found = [
        name
        for pair, values in pairs.items()
        for name, value in zip(pair, values, strict=True)
        if value is not None
    ]
    if found not in [list(pair) for pair in pairs]:
        alone = {first: second for pair in pairs for first, second in (pair, pair[::-1])}
        missing = f"; {alone[found[0]]} is missing" if len(found) == 1 else ""
        raise InputError(
            f"found {' and '.join(found) or 'neither activations nor a model'}, expected "
            f"--activations X.npz with --labels L.csv, or --model DIR with --probes SET{missing}"
        )
    if arguments.model is not None:
        return _of_model(arguments.model, arguments.revision, arguments.probes)
    if arguments.revision is not None:
        raise InputError("--revision: is of a model on the hub; leave it out beside --activations")
    X = read_activations(arguments.activations)
    labels = read_labels(arguments.labels, len(X))
    for words in alike(labels):
        print(f"repro measure: {arguments.labels}: {words}", file=sys.stderr)
    return X, labels, {}


def _of_model(
    model: str, revision: str | None, name: str
) -> "tuple[Array, Labels, dict[str, Any]]":
    """Return a model's activations on a probe set, with a bar over its blocks."""
    from repro.execute.activations import activations_of
    from repro.execute.folders import passing_cache
    from repro.geometry.labels import Labels
    from repro.manifest.probes import load_probe_set
    from repro.report.terminal.progress import blocks

    probes = load_probe_set(name)
    folder, origin = _folder(model, revision)
    with blocks(folder.absolute().name) as show:
        X = activations_of(folder, probes, passing_cache(), show)
    return X, Labels.of(probes.labels()), origin


def _folder(model: str, revision: str | None) -> tuple[Path, dict[str, Any]]:
    """Return a model's folder, and for one on the hub its repository and commit.

    A folder wins over a repository of the same name. Raises InputError and SetupError.
    """
    from repro.errors import InputError
    from repro.execute.folders import cache_folder
    from repro.fetch.named import fetch_named, names_repository

    folder = own_path(model)
    if revision is not None and not revision.strip():
        raise InputError("--revision: is empty; give a commit, a branch or a tag")
    if is_folder(folder) and revision is not None:
        raise InputError(
            f"--revision {revision}: is of a model on the hub, and --model {model} is a folder "
            "here; leave it out, or give the command elsewhere"
        )
    _refuse_other_names(model, folder)
    if is_folder(folder) or not names_repository(model):
        return folder, {}
    folder, repository, commit = fetch_named(model, revision, cache_folder(), _say)
    _say(f"{repository} at revision {commit}")
    return folder, {"model": {"repository": repository, "revision": commit}}


def _refuse_other_names(model: str, folder: Path) -> None:
    """Raise InputError for nothing, a file, an address, or a manifest's name of a hub's model."""
    from repro.errors import InputError
    from repro.manifest.load import load_models
    from repro.manifest.model import HubWeights

    if not model.strip():
        raise InputError("--model: is empty; give a folder, or owner/name on the hub")
    if folder.is_file():
        raise InputError(f"--model {model}: is a file, expected a model's folder; correct the path")
    if "://" in model:
        raise InputError(
            f"--model {model}: found an address, expected owner/name as on the hub; leave out what "
            "stands before it (HF_ENDPOINT names another hub)"
        )
    known = load_models().get(model.lower())
    if not folder.exists() and known and isinstance(known.weights, HubWeights):
        raise InputError(
            f"--model {model}: found no folder; a manifest's model of this name is "
            f"{known.weights.repository} on the hub: give that"
        )


def _say(words: str) -> None:
    """Say something beside the record."""
    print(f"repro measure: {words}", file=sys.stderr)
