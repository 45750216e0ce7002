"""Fetch the texts of a recipe: download its files, select texts by its rules, write them beside it.

materialised.json records the source of each text: revision and digest of each file. A source
without a pinned revision keeps the one recorded there.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from repro.errors import SetupError, first_line
from repro.fetch.selection import Selection, admitted_texts, selected_text
from repro.files import digest, file_digest, write_bytes, write_json
from repro.manifest.experiment import Experiment
from repro.manifest.probes import ProbeLimits, declared, load_probe_set, probe_folder
from repro.manifest.recipe import Recipe, RecipeSource, read_recipe
from repro.manifest.yaml import read_yaml

NOTE = "materialised.json"


def bring_probe_sets(experiment: Experiment, say: Callable[[str], None]) -> bool:
    """Make sure the texts of every probe set of a manifest are here.

    Return whether any were fetched. Raises SetupError.
    """
    sets = (experiment.probe_set, *experiment.also_probe_sets, experiment.training.csr.probe_set)
    missing = [
        name for name in dict.fromkeys(filter(None, sets)) if not declared(name).materialised
    ]
    for name in missing:
        say(f"fetching the texts of probe set {name}")
        _materialise(probe_folder(name))
    return bool(missing)


def _materialise(folder: Path) -> None:
    """Write probes.jsonl and materialised.json of the recipe in `folder`.

    Raises SetupError with the way out.
    """
    recipe = read_recipe(folder)
    assert recipe is not None
    content = read_yaml(folder / "concepts.yaml")
    patterns = [
        p
        for classes in content.get("label_words", {}).values()
        for group in classes.values()
        for p in group
    ]
    selection = Selection(recipe, ProbeLimits.model_validate(content.get("limits", {})), patterns)
    noted = _noted(folder)
    lines, sources = [], []
    for source in recipe.sources:
        path, revision = _download(source, source.revision or noted.get(source.repository), folder)
        texts = selection.take(
            admitted_texts(
                (selected_text(record, source) for record in _records(path, source)), source
            )
        )
        _require(texts, recipe, source, folder)
        cell = "-".join(source.labels.values())
        lines += [
            json.dumps(
                {"id": f"{cell}-{number}", "labels": source.labels, "text": text},
                ensure_ascii=False,
            )
            for number, text in enumerate(texts, 1)
        ]
        note = {"repository": source.repository, "revision": revision, "file": source.file}
        sources.append({**note, "sha256": file_digest(path)})
    write_bytes(folder / "probes.jsonl", "".join(line + "\n" for line in lines).encode())
    write_json(
        folder / NOTE,
        {
            "content_hash": load_probe_set(folder).content_hash,
            "recipe": digest(recipe.model_dump(mode="json")),
            "sources": sources,
        },
    )


def _noted(folder: Path) -> dict[str, str]:
    """Return repository → revision of an earlier materialisation."""
    path = folder / NOTE
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"sources": []}
    return {source["repository"]: source["revision"] for source in known["sources"]}


def _download(source: RecipeSource, revision: str | None, folder: Path) -> tuple[Path, str]:
    """Return (file, its revision). Raises SetupError where the hub does not give it."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    # what it tries again is no news; how it ends is said below
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    where = (
        f"probe set {folder.name}: {source.repository}@{(revision or 'newest')[:12]}: {source.file}"
    )
    try:
        path = Path(
            hf_hub_download(source.repository, source.file, repo_type="dataset", revision=revision)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        problem = first_line(error)
        raise SetupError(
            f"{where}: cannot be had here ({problem}); fetch on a machine that reaches the "
            "hub and copy "
            f"{folder / 'probes.jsonl'} from it, or measure on another probe set"
        ) from error
    found = path.parts[-1 - len(Path(source.file).parts)]
    if revision not in (None, found):
        raise SetupError(
            f"{where}: the hub answers with revision {found[:12]}; pin a revision, not a branch "
            "or a tag"
        )
    return path, found


def _records(path: Path, source: RecipeSource) -> Iterable[Mapping[str, Any]]:
    """Return the records of a file: Parquet, a JSON list, or JSON lines.

    Raises SetupError for anything else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            columns = [field.split(".")[0] for field in source.fields]
            return list(pq.read_table(path, columns=list(dict.fromkeys(columns))).to_pylist())
        content = path.read_text(encoding="utf-8")
        records = (
            json.loads(content)
            if content.lstrip().startswith("[")
            else map(json.loads, content.splitlines())
        )
        return [record for record in records if isinstance(record, dict)]
    except (pa.ArrowException, OSError, ValueError) as error:
        problem = first_line(error)
        raise SetupError(
            f"{source.repository}: {source.file} cannot be read ({problem}); correct file "
            "and fields in the recipe"
        ) from error


def _require(texts: list[str], recipe: Recipe, source: RecipeSource, folder: Path) -> None:
    """Raise SetupError when a source has fewer texts than the recipe has lengths."""
    if len(texts) < len(recipe.lengths):
        raise SetupError(
            f"probe set {folder.name}: {source.repository}: {source.file} has texts of "
            f"{len(texts)} of "
            f"{len(recipe.lengths)} lengths under the recipe's rules; correct its fields, "
            f"keep or drop in {folder / 'recipe.yaml'}"
        )
