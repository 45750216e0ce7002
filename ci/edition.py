"""Hold the edition of the numbers to bits: `python ci/edition.py check|raise|join …`.

    check [--now RESULTS]             fail where a number moved without a new edition, or an edition
                                      is new and none moved; RESULTS: smoke as today's sources ran
                                      it here, which is then not run again
    raise code|packages REASON        the next edition of a CPU's numbers, where some number moved
    raise code|packages REASON --cuda the next edition of a GPU's, by hand: nothing is computed
    join VENV                         add the packages of another environment to the edition, where
                                      every number is the same
    join --image cpu|cuda             add the image of docker/images.lock, tried in a container

Smoke and the canaries are run twice on this machine: with the sources of the commit that recorded
the edition, and with today's, in one environment, on the manifests, probes and texts of that
commit, side by side where memory allows. A canary that was added since (for code that the edition's
sources lack) is held to the commit that added it, in the same way.
Exit 0 · 1 the edition is wrong · 77 cannot be compared here (no git, or a shallow clone).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from given import same_inputs, take_runs

from repro.errors import ReproError
from repro.evidence.compare import FolderComparison, compare_folders
from repro.files import digest, file_digest, write_json
from repro.plan.editions import FILE, Member, load_editions, raised, with_member, write_editions
from repro.plan.environment import processor_type
from repro.plan.packages import computing, installed, locked_packages
from repro.shipped import ROOT

RECORD = str(FILE.relative_to(ROOT))
CANARIES = (
    "manifests/smoke.yaml",
    "ci/canary.yaml",
    "ci/canary_entropies.yaml",
    "ci/canary_packing.yaml",
)
INPUTS = (*CANARIES, "manifests/models.yaml", "manifests/datasets.yaml")
SKIP = 77
SIDE_BY_SIDE = 6 << 30
"""Bytes of free memory with which both sides run at once."""
CORES = 4
"""Cores needed for that: the canary's runs have two threads, which wait actively and would delay
each other.
"""


@dataclass(frozen=True)
class Difference:
    """The comparison of the numbers of two states of the sources."""

    numbers: int
    moved: int
    first: str
    """The first number that moved, and both its values."""


class StopError(Exception):
    """Ends the program with a line and an exit code."""

    def __init__(self, code: int, line: str) -> None:
        super().__init__(line)
        self.code = code


def git(*words: str) -> str:
    """Return what git prints. Raises StopError where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise StopError(SKIP, "git is not installed") from None
    if done.returncode:
        raise StopError(
            SKIP, f"git {words[0]}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}"
        )
    return done.stdout.strip()


def numbers_of(text: str) -> tuple[int, int] | None:
    """Return the CPU edition in a record; None for a text that is not a record."""
    try:
        kind = json.loads(text)["devices"]["cpu"]
        return kind["code"], kind["packages"]
    except (ValueError, KeyError, TypeError):
        return None


def recorded() -> list[tuple[str, tuple[int, int]]]:
    """Return (commit, edition) of every commit that recorded a new CPU edition, the newest
    first.
    """
    if not (ROOT / ".git").exists():
        raise StopError(
            SKIP, "this is no checkout: there are no sources of another commit to compare with"
        )
    if git("rev-parse", "--is-shallow-repository") == "true":
        raise StopError(
            SKIP,
            "a shallow clone lacks the commit that recorded the edition: git fetch "
            "--unshallow, then again",
        )
    found: list[tuple[str, tuple[int, int]]] = []
    for commit in reversed(git("log", "--format=%H", "--", RECORD).split()):
        edition = numbers_of(git("show", f"{commit}:{RECORD}"))
        if edition and (not found or found[-1][1] != edition):
            found.append((commit, edition))
    return found[::-1]


@contextmanager
def sources(commit: str) -> Iterator[Path]:
    """Yield a temporary checkout of a commit."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            git("worktree", "remove", "--force", str(tree))


def state(tree: Path) -> str:
    """Return the digest of all that computes in a tree: the worker's modules as syntax trees,
    and their inputs.
    """
    asked = [
        sys.executable,
        "-c",
        "import json; from repro.plan.code import worker_code; print(json.dumps(worker_code()))",
    ]
    done = subprocess.run(
        asked, cwd=tree, env=environment(tree), capture_output=True, text=True, check=True
    )
    modules = sorted(json.loads(done.stdout).values())
    return digest(
        [modules, [file_digest(tree / name) for name in INPUTS if (tree / name).is_file()]]
    )


def environment(tree: Path) -> dict[str, str]:
    """Return the environment in which a tree's sources are imported."""
    return {**os.environ, "PYTHONPATH": str(tree)}


def run(
    tree: Path,
    data: Path,
    results: Path,
    cache: Path,
    python: str = sys.executable,
    names: Sequence[str] = CANARIES,
    more: Sequence[str] = (),
) -> None:
    """Run those of the canaries that lie in `data` with a tree's sources.

    Raises StopError when a run fails.
    """
    for name in names:
        if (data / name).is_file():
            repro(tree, data, results, cache, python, "run", name, "--runner", "local", *more)


def repro(
    tree: Path,
    data: Path,
    results: Path,
    cache: Path,
    python: str,
    verb: str,
    name: str,
    *more: str,
) -> None:
    """Carry out a verb for one of the manifests of `data`. Raises StopError when it fails."""
    given = {**environment(tree), "REPRO_CACHE": str(cache), "REPRO_RESULTS": str(results)}
    # Python also imports from its working folder, which here has no sources.
    with tempfile.TemporaryDirectory() as folder:
        for part in ("manifests", "probes"):
            (Path(folder) / part).symlink_to(data / part)
        command = [python, "-m", "repro", verb, str(data / name), *more]
        if subprocess.run(command, cwd=folder, env=given, check=False).returncode:
            raise StopError(1, f"{name} could not be run with the sources of {tree}")


def compared(one: Path, other: Path) -> list[FolderComparison]:
    """Compare each manifest's runs."""
    names = [Path(name).stem for name in CANARIES if (one / "runs" / Path(name).stem).is_dir()]
    return [compare_folders(name, one, other) for name in names]


def against(commit: str, cache: Path, given: Path | None = None) -> Difference:
    """Compare the sources of a commit with today's; `given`: runs that today's have made."""
    return compared_since(commit, "HEAD", ROOT, cache, given)


def between(commit: str, later: str, cache: Path) -> Difference:
    """Compare the sources of two commits."""
    with sources(later) as tree:
        return compared_since(commit, later, tree, cache)


def compared_since(
    commit: str, later: str, tree: Path, cache: Path, given: Path | None = None
) -> Difference:
    """Compare a tree, of the commit `later`, with the commits that its canaries are held to."""
    found = [
        compared_once(start, names, tree, cache, given)
        for start, names in held_to(commit, later).items()
    ]
    return Difference(
        sum(one.numbers for one in found),
        sum(one.moved for one in found),
        next((one.first for one in found if one.moved), ""),
    )


def held_to(commit: str, later: str) -> dict[str, list[str]]:
    """Return the canaries by the commit that their numbers are compared with.

    It is `commit`, or the one that added a canary after it; one that is not committed is left out.
    """
    found: dict[str, list[str]] = {}
    for name in CANARIES:
        start = [commit] if git("ls-tree", commit, "--", name) else []
        start += git(
            "log", "--reverse", "--diff-filter=A", "--format=%H", f"{commit}..{later}", "--", name
        ).split()
        if start:
            found.setdefault(start[0], []).append(name)
    return found


def compared_once(
    commit: str, names: Sequence[str], tree: Path, cache: Path, given: Path | None = None
) -> Difference:
    """Compare the sources of a commit with a tree's on some canaries.

    A result is kept for equal sources, packages and machine.
    """
    about = [commit, names, state(tree), installed(), processor_type(), platform.python_version()]
    path = cache / "editions" / f"{digest(about)[:16]}.json"
    if path.is_file():
        return Difference(**json.loads(path.read_text(encoding="utf-8")))
    with sources(commit) as first:
        found = difference(first, names, first, tree, given)
    write_json(path, asdict(found))
    return found


def difference(
    data: Path, names: Sequence[str], first: Path, second: Path, given: Path | None = None
) -> Difference:
    """Compare the sources of two trees on some manifests of `data`."""
    with tempfile.TemporaryDirectory() as folder:
        then, now = Path(folder) / "then", Path(folder) / "now"
        caches = Path(folder) / "cache-then", Path(folder) / "cache-now"
        room = psutil.virtual_memory().available > SIDE_BY_SIDE and (os.cpu_count() or 1) >= CORES
        at_once = 2 if room else 1
        if given is not None and CANARIES[0] in names and same_inputs(data, ROOT):
            take(given, second, data, now, caches[1])
        with ThreadPoolExecutor(at_once) as pool:
            sides = [
                pool.submit(run, tree, data, results, own, names=names)
                for tree, results, own in zip((first, second), (then, now), caches, strict=True)
            ]
        for side in sides:
            side.result()
        found = compared(then, now)
    apart = [line for one in found for line in one.apart]
    return Difference(sum(one.numbers for one in found), len(apart), apart[0] if apart else "")


def take(given: Path, tree: Path, data: Path, results: Path, cache: Path) -> None:
    """Take the runs of smoke that a tree's sources have made already; say how many."""
    repro(tree, data, results, cache, sys.executable, "fetch", CANARIES[0])
    count = take_runs(given, cache, results)
    print(f"edition: {count} runs of smoke are those of {given}", flush=True)


def check(cache: Path, given: Path | None = None) -> str:
    """Compare, unless the result is known already. Raises StopError when the edition is wrong."""
    known, now = recorded(), numbers_of(FILE.read_text())
    if not known:
        return "no commit has recorded an edition yet: nothing to compare with"
    fresh = now != known[0][1]
    base = known[0][0]
    if not fresh and len(known) > 1 and not noted(cache, f"new {base}"):
        # The newest edition is proven once on each machine: something must have moved
        # since the one before it.
        proof = between(known[1][0], base, cache)
        if not proof.moved:
            raise StopError(
                1,
                f"edition {now} is new since {base[:12]}, and all {proof.numbers} numbers are "
                "those of the one before",
            )
        note(cache, f"new {base}")
    with sources(base) as tree:
        same = state(tree) == state(ROOT)
    if same and not fresh:
        return (
            f"skipped: nothing that computes has changed since {base[:12]}, which recorded the "
            "edition"
        )
    passed = f"{base} {state(ROOT)} {now}"
    if noted(cache, passed):
        return f"skipped: these very sources were compared with {base[:12]} on this machine before"
    found = against(base, cache, given)
    if fresh and not found.moved:
        raise StopError(
            1,
            f"edition {now} is new, but all {found.numbers} numbers are those of "
            f"{known[0][1]}: take it back",
        )
    if found.moved and not fresh:
        raise StopError(
            1,
            f"{found.moved} of {found.numbers} numbers moved since {base[:12]} (first: "
            f"{found.first}) and the edition is the "
            "same: undo what moved them, or ci/edition.py raise code REASON",
        )
    note(cache, passed)
    return f"{found.numbers} numbers, {found.moved} moved since {base[:12]}, as the edition says"


def noted(cache: Path, words: str) -> bool:
    """Return whether a comparison has succeeded on this machine before."""
    return (cache / "editions" / digest(words)[:16]).is_file()


def note(cache: Path, words: str) -> None:
    """Record that a comparison succeeded."""
    path = cache / "editions" / digest(words)[:16]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{words}\n")


def raise_edition(part: str, reason: str, cuda: bool, cache: Path) -> str:
    """Record the next edition. Raises StopError where no number of a CPU moved."""
    if part not in ("code", "packages"):
        raise StopError(2, f"raise: found {part!r}, expected code or packages")
    editions = load_editions()
    if cuda:
        write_editions(raised(editions, "cuda", part, reason))  # type: ignore[arg-type]  # checked above
        return f"recorded: a new edition of a GPU's {part}; only a machine with a card can check it"
    if part == "code":
        commit = recorded()[0][0]
        found = against(commit, cache)
        if not found.moved:
            raise StopError(
                1,
                f"all {found.numbers} numbers are those of {commit[:12]}: no new edition is needed",
            )
        reason = f"{reason} ({found.moved} of {found.numbers} numbers moved)"
    write_editions(raised(editions, "cpu", part, reason))  # type: ignore[arg-type]  # checked above
    return f"recorded in {RECORD}: {reason}"


def join(venv: Path) -> str:
    """Add an environment's packages to the edition.

    Raises StopError, naming a number, where they give different ones.
    """
    python, editions = str(venv / "bin" / "python"), load_editions()
    if not Path(python).is_file():
        raise StopError(
            2, f"join: found no {python}, expected an environment that `python -m venv` made"
        )
    code = "import json; from repro.plan.packages import installed; print(json.dumps(installed()))"
    done = subprocess.run(
        [python, "-c", code], env=environment(ROOT), capture_output=True, text=True, check=True
    )
    wanted = computing(locked_packages(ROOT / "requirements" / "cpu.lock"), "cpu")
    pins = {
        name: version
        for name, version in computing(json.loads(done.stdout), "cpu").items()
        if name in wanted
    }
    kind = editions.devices["cpu"]
    if kind.of_packages(pins):
        return "these packages belong to the edition already"
    differs = tuple(
        f"{name} {kind.pins.get(name)} → {version}"
        for name, version in pins.items()
        if kind.pins.get(name) != version
    )
    with tempfile.TemporaryDirectory() as folder:
        here, other = Path(folder), ("--other-packages",)
        run(ROOT, ROOT, here / "locked", here / "cache", more=other)
        run(ROOT, ROOT, here / "other", here / "cache", python, more=other)
        found = compared(here / "locked", here / "other")
    numbers, moved = (
        sum(one.numbers for one in found),
        [line for one in found for line in one.apart],
    )
    if moved:
        raise StopError(
            1,
            f"refused: with {', '.join(differs)} {len(moved)} of {numbers} numbers are "
            f"others (first: {moved[0]}); they need an "
            "edition of their own: ci/edition.py raise packages REASON",
        )
    write_editions(
        with_member(editions, "cpu", Member(pins=pins, differs=differs, numbers=numbers))
    )
    return f"joined: {', '.join(differs)}; all {numbers} numbers are the same bits"


def join_image(name: str) -> str:
    """Add the image of docker/images.lock to the edition.

    Raises StopError where it gives different numbers.
    """
    from repro.execute.engine import engine
    from repro.execute.folders import cache_folder
    from repro.machine.moved import compare_with_local
    from repro.plan.image_lock import load_locks

    lock, editions = load_locks().images[name], load_editions()  # type: ignore[index]  # a choice of the parser
    if editions.devices["cpu"].of_image(str(lock.content)):
        return "this image belongs to the edition already"
    found = compare_with_local(engine(timeout=3600), name, lock, cache_folder(), print)  # type: ignore[arg-type]
    if found.apart or not found.numbers:
        raise StopError(
            1,
            f"refused: image {name} gives other numbers ({found.words()}; first: "
            f"{'; '.join(found.apart[:1])})",
        )
    member = Member(content=str(lock.content), numbers=found.numbers)
    write_editions(with_member(editions, "cpu", member))
    return (
        f"joined: image {name}, content {str(lock.content)[:12]}; all {found.numbers} numbers "
        "are the same bits"
    )


def main() -> int:
    """Carry out the command, and print its result in one line."""
    parser = argparse.ArgumentParser(prog="ci/edition.py", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check").add_argument("--now", type=Path, metavar="RESULTS")
    up = verbs.add_parser("raise")
    up.add_argument("part")
    up.add_argument("reason")
    up.add_argument("--cuda", action="store_true")
    into = verbs.add_parser("join")
    into.add_argument("venv", nargs="?", type=Path)
    into.add_argument("--image", choices=("cpu", "cuda"))
    given = parser.parse_args()
    cache = Path(os.environ.get("REPRO_CACHE") or "~/.cache/repro").expanduser()
    try:
        if given.verb == "check":
            line = check(cache, given.now)
        elif given.verb == "raise":
            line = raise_edition(given.part, given.reason, given.cuda, cache)
        elif given.image or given.venv is None:
            line = join_image(given.image or "cpu")
        else:
            line = join(given.venv)
    except StopError as stop:
        print(f"edition: {stop}")
        return stop.code
    except ReproError as error:
        print(f"edition: {error}")
        return 2
    print(f"edition: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
