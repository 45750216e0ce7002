"""Make the environment that every target of the Makefile uses, once, from requirements/*.lock.

Run by ci/setup.sh. Variables: VENV (where, default .venv) and TORCH:
    cpu    PyTorch's CPU build where pip finds one, else PyPI's; manifests are planned for the CPU
    cuda   PyPI's build, which carries CUDA on Linux
    unset  cuda where an NVIDIA driver shows a card, else cpu without the choice being yours

Every package is taken by the hash in the lock, and none is compiled. What was chosen is noted in
the environment (repro-setup.json): another lock or another choice makes it anew. Standard library
only: it runs before anything is there.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("VENV") or ".venv").absolute()
BIN = VENV / "bin"
NOTE = VENV / "repro-setup.json"
LOG = VENV / "setup.log"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
ANSWER = 2.0  # seconds for PyTorch's index to answer
LINUX = sys.platform == "linux"
ROOM = {"cpu": 3, "cuda": 9}  # GiB the environment needs at most while it is made
PROBLEMS = (
    (
        r"No module named pip\b",
        "pip is missing in {venv}: remove that folder, or run {venv}/bin/python -m ensurepip",
    ),
    (
        r"No space left on device|Errno 28",
        "the disk is full: free some, or set VENV (or TMPDIR) to another disk",
    ),
    (
        r"DO NOT MATCH THE HASHES.*?\n\s+([^\s=]+==[^\s:]+)",
        "the index gave another file than the lock names ({0}): use another index or mirror",
    ),
    (
        r"(Temporary failure in name resolution|Name or service not known|nodename nor "
        r"servname|Network is unreachable"
        r"|Connection refused|No route to host|NewConnectionError|ConnectTimeout|Read timed "
        r"out|ProxyError"
        r"|CERTIFICATE_VERIFY_FAILED|Max retries exceeded)",
        "the package index cannot be reached ({0}): connect, or point pip at a mirror "
        "(PIP_INDEX_URL)",
    ),
    (
        r"No matching distribution found for ([^\s;]+)",
        "the index has no build of {0} for Python {python} on {platform}: use another "
        "Python from 3.11 to 3.14 "
        "(make setup PYTHON=…), or an index that has it",
    ),
)


def main() -> int:
    """Make the environment, or leave it as it is.

    Return 0, or 2 after one line about the problem.
    """
    asked = os.environ.get("TORCH") or "auto"
    if asked not in ("auto", "cpu", "cuda"):
        return stop(
            f"TORCH: found {asked!r}, expected cpu or cuda (or nothing: what fits this machine)"
        )
    if asked == "cuda" and not LINUX:
        return stop("TORCH=cuda: PyTorch has no CUDA build for this system; leave TORCH out")
    noted = read_note()
    if noted and asked == "auto":
        asked = noted["asked"]  # a choice holds until another is made
    project = digest([ROOT / "pyproject.toml"])
    current = (
        noted
        if noted and noted["asked"] == asked and noted["locks"] == locks(noted["torch"])
        else None
    )
    if current and current["project"] == project:
        return 0
    try:
        torch = current["torch"] if current else fresh(asked, renew=noted is not None)
        install_project()
        NOTE.write_text(
            json.dumps({"asked": asked, "torch": torch, "locks": locks(torch), "project": project})
        )
    except SetupError as problem:
        return stop(str(problem))
    say(
        f"{shown(VENV)} is ready: `source {shown(VENV)}/bin/activate`, then `repro …`; make does "
        "without"
    )
    return 0


class SetupError(Exception):
    """One line: what is wrong, and what to do."""


def fresh(asked: str, renew: bool) -> str:
    """Make the environment from nothing. Return the build of torch in it."""
    if renew:
        say(f"the locks or the choice of torch changed: making {shown(VENV)} anew")
        shutil.rmtree(VENV)
    if not (BIN / "python").exists():
        make_venv()
    if asked == "cuda" or (asked == "auto" and driver_shows_a_card()):
        say("torch: PyPI's build with CUDA (about 3 GB to download, 6 GB on disk)")
        torch = "cuda"
    elif not LINUX:
        torch = "cpu"
    else:
        torch = "cpu" if cpu_build() else "cuda"
    room(torch)
    say("the other packages of the lock (a few minutes the first time)")
    pip(
        "--requirement",
        ROOT / f"requirements/{torch}.lock",
        "--requirement",
        ROOT / "requirements/dev.lock",
    )
    return torch


def make_venv() -> None:
    """Make an empty environment with pip."""
    say(f"setting up {shown(VENV)} with Python {platform.python_version()}")
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode == 0:
        return
    words = done.stdout.decode(errors="replace")
    shutil.rmtree(VENV, ignore_errors=True)
    if "ensurepip" in words:
        raise SetupError(
            "Python's venv module is missing: on Debian and Ubuntu, apt-get install python3-venv"
        )
    if "Read-only file system" in words or "Permission denied" in words:
        raise SetupError(
            f"{VENV}: cannot be written; name another place, here and at every later call: "
            "make … VENV=DIR"
        )
    raise SetupError(f"{VENV}: could not be made ({last(words)})")


def driver_shows_a_card() -> bool:
    """Return whether an NVIDIA driver is installed and lists at least one GPU."""
    if shutil.which("nvidia-smi") is None:
        return False
    done = subprocess.run(
        ["nvidia-smi", "--list-gpus"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.returncode == 0 and b"GPU" in done.stdout


def cpu_build() -> bool:
    """Install PyTorch's CPU build where pip finds it.

    Return False, and say so, where PyPI's is needed instead.
    """
    room("cpu")
    (entry,) = re.findall(
        r"^torch==\S+\+cpu.*?(?=^\S|\Z)", (ROOT / "requirements/cpu.lock").read_text(), re.M | re.S
    )[:1]
    say("torch: PyTorch's CPU build (about 190 MB)")
    extra = ["--extra-index-url", CPU_INDEX] if answers(CPU_INDEX + "/torch/") else []
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "torch.lock"
        wanted.write_text(entry)
        try:
            pip("--no-deps", "--requirement", wanted, *extra)
        except SetupError as problem:
            say(
                f"torch: no CPU build here ({problem})"
                if "hash" in str(problem)
                else "torch: pip finds no CPU build here"
            )
            say(
                "torch: taking PyPI's build instead, which brings CUDA along (about 3 GB to "
                "download, 6 GB on disk)"
            )
            return False
    return True


def answers(url: str) -> bool:
    """Return whether a page answers within ANSWER seconds.

    The lookup of its name counts too: a closed network must not slow the set-up.
    """
    found = []

    def ask() -> None:
        """Request the page."""
        try:
            urlopen(Request(url, method="HEAD"), timeout=ANSWER).close()
            found.append(True)
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER)
    return bool(found)


def room(torch: str) -> None:
    """Raise SetupError when the disk cannot hold the environment."""
    free = shutil.disk_usage(str(VENV)).free / 2**30
    if free < ROOM[torch]:
        raise SetupError(
            f"{VENV}: {free:.1f} GiB are free, about {ROOM[torch]} are needed; free some, or set "
            "VENV"
        )


def install_project() -> None:
    """Install the project itself in place, so that edits take effect at once."""
    pip("--no-deps", "--no-build-isolation", "--editable", ROOT, hashes=False)
    # Seen from its own folder a path has no letter that Python, where the locale is not
    # UTF-8, reads as another.
    for link in VENV.glob("lib/python3*/site-packages/_repro_harness.pth"):
        link.write_text(os.path.relpath(str(ROOT), str(link.parent)) + "\n", encoding="ascii")


def pip(*words, hashes=True) -> None:
    """Run pip install, with its output to the log. Raises SetupError in our words."""
    safe = ["--require-hashes", "--only-binary=:all:"] if hashes else []
    command = [BIN / "python", "-m", "pip", "--disable-pip-version-check", "install", *safe, *words]
    environment = {**os.environ, "PYTHONNOUSERSITE": "1"}
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    text = done.stdout.decode(errors="replace")
    with LOG.open("a", encoding="utf-8") as log:
        log.write(text)
    if done.returncode:
        if "(from versions: none)" in text and not index_answers():
            text = f"NewConnectionError\n{text}"  # pip does not say that it reached nothing
        raise SetupError(explain(text))


def index_answers() -> bool:
    """Return whether pip reaches an index at all: every index has pip itself."""
    command = [str(BIN / "python"), "-m", "pip", "index", "versions", "pip"]
    return (
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        == 0
    )


def explain(text: str) -> str:
    """Return what went wrong in pip's output, in one line."""
    where = {
        "venv": VENV,
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
    }
    for pattern, words in PROBLEMS:
        found = re.search(pattern, text, re.S)
        if found:
            return words.format(*found.groups(), **where) + f" (log: {LOG})"
    return f"pip failed: {last(text)} (log: {LOG})"


def locks(torch: str) -> str:
    """Return the digest of the locks for an environment with this build."""
    return digest([ROOT / f"requirements/{torch}.lock", ROOT / "requirements/dev.lock"])


def digest(files) -> str:
    """Return the digest of some files' contents."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def read_note():
    """Return the record of an earlier set-up; None without one, or for a foreign environment."""
    try:
        noted = json.loads(NOTE.read_text())
    except (OSError, ValueError):
        return None
    return (
        noted
        if isinstance(noted, dict) and {"asked", "torch", "locks", "project"} <= noted.keys()
        else None
    )


def shown(path: Path) -> str:
    """Return a path in its shortest form."""
    return str(path.relative_to(Path.cwd())) if Path.cwd() in path.parents else str(path)


def last(text: str) -> str:
    """Return the last line that is not blank."""
    return ([line for line in text.splitlines() if line.strip()] or ["no output"])[-1].strip()


def say(words: str) -> None:
    """Print progress."""
    print(f"repro: {words}", flush=True)


def stop(words: str) -> int:
    """Print what is wrong, and return the exit code."""
    print(f"repro: {words}", file=sys.stderr, flush=True)
    return 2


if __name__ == "__main__":
    sys.exit(main())
