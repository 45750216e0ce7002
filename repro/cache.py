"""Locate models, texts and structures in the cache. No other module spells its layout.

models/<model>/        the files of a model, and identity.json, written once all of them are there
models/<model>.streamed/
                       a model whose shards come and go while it is measured: empty files in their
                       place, arrived.json (which are whole now), wanted.json (which are asked for)
hub/<owner>--<name>-<revision>/
                       a model that a user named and no manifest does, with its identity.json
data/<source>.jsonl    texts, with a digest beside them
walks/                 hidden states of a user's own model that is being measured block by block
structure/             architecture records that the package lacks
profiles/              speeds of cards and cores, as `repro doctor --measure` found them
benchmarks/, images/   a benchmark's file that a user brought; images built here on a moved base
written-by-repro.txt   the entries that repro itself wrote. `clean` removes nothing else, because
                       REPRO_CACHE may point at a folder with other people's models and data
"""

import re
from collections.abc import Iterable
from pathlib import Path

MODELS, NAMED_MODELS, TEXTS, STRUCTURES, WALKS = "models", "hub", "data", "structure", "walks"
READ_BY_WORKERS = (MODELS, TEXTS)
"""Folders of the cache that workers read."""
IDENTITY = "identity.json"
"""Record of a model's files. Without it the model may still be being fetched."""
ARRIVED_FILE, WANTED_FILE = "arrived.json", "wanted.json"
"""What the host and the worker tell each other about a model that is streamed."""
LIST = "written-by-repro.txt"
_ENTRY = re.compile(
    rf"({MODELS}|{NAMED_MODELS}|{TEXTS}|{STRUCTURES}|{WALKS})/[A-Za-z0-9_+-][A-Za-z0-9._+-]*"
)


def model_folder(cache: Path, name: str) -> Path:
    """Return the folder of a model, by its name there (`Model.folder`)."""
    return cache / MODELS / name


def streamed_folder(cache: Path, name: str) -> Path:
    """Return the folder of a model whose shards come and go."""
    return cache / MODELS / f"{name}.streamed"


def named_folder(cache: Path, repository: str, revision: str) -> Path:
    """Return the folder of a model that a user named by its repository on a hub."""
    return cache / NAMED_MODELS / f"{repository.replace('/', '--')}-{revision[:12]}"


def is_fetched(model: Path) -> bool:
    """Return whether all of a model's files have been fetched."""
    return (model / IDENTITY).exists()


def partial(path: Path) -> Path:
    """Return the path for something that is not complete yet."""
    return path.with_name(path.name + ".partial")


def benchmark_copy(cache: Path, file: str) -> Path:
    """Return where a user puts the file of a benchmark that is not shipped."""
    return cache / "benchmarks" / Path(file).name


def image_record(cache: Path, name: str) -> Path:
    """Return where a build of an image with a moved base is recorded."""
    return cache / "images" / f"{name}.json"


def profile_file(cache: Path, name: str) -> Path:
    """Return where the measured speeds of a card, or of a core, are kept, by its name."""
    return cache / "profiles" / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.json"


def record_as_ours(cache: Path, paths: Iterable[Path]) -> None:
    """Record entries of a cache as repro's own before they are written, so that a killed
    process's are known too.
    """
    names = {str(path.relative_to(cache)) for path in paths} - read_own(cache)
    if names:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / LIST).open(
            "a", encoding="utf-8"
        ) as file:  # One short write, so that two processes cannot mix their lines.
            file.write("".join(f"{name}\n" for name in sorted(names)))


def read_own(cache: Path) -> frozenset[str]:
    """Return the entries that repro wrote, relative to the cache.

    Other lines of the list are ignored.
    """
    try:
        lines = (cache / LIST).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(line for line in lines if _ENTRY.fullmatch(line))
