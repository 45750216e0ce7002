"""What makes a box a closed one, and that hostile candidates gain nothing in it.

Each of them is shown to succeed where there is no box.
"""

import ctypes
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import repro.score.attempt
import repro.score.bubblewrap
import repro.score.containers
from repro.errors import SetupError
from repro.manifest.benchmark import Problem
from repro.score.box import Closed, Sandbox, close_pipes, numpy_folders, read_pipe, write_pipe
from repro.score.outcomes import Candidate, Scored, score
from repro.score.unboxed import Unboxed

pytestmark = pytest.mark.worker
SMALL = 256 << 20  # bytes of memory of a box here, so that using it up hurts nobody
TASK = "dozen/0"
ADD_KEY = {"x86_64": 248, "aarch64": 217}


@pytest.fixture(scope="module")
def attacks(helper: Callable[[str], ModuleType]) -> ModuleType:
    return helper("score/attacks.py")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Things of this machine for a candidate to reach: a file, a process, a port, sockets, shared
    memory.
    """
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("/dev/shm cannot be written by this user: an attack has nothing to find there")
    folder = tmp_path_factory.mktemp("host")
    folder.chmod(0o777)
    (folder / "secret").write_text("secret")
    environment = {**os.environ, "REPRO_TEST_TOKEN": "secret"}
    libc = ctypes.CDLL(None)
    key = 0x5EC0 + os.getpid()
    segment = libc.shmget(key, 4096, 0o1666)
    with (
        subprocess.Popen(["sleep", "600"], env=environment) as sleeper,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        shared = Path(f"/dev/shm/repro-{sleeper.pid}")
        shared.write_text("secret")
        unix, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        unix.bind(f"{folder}/socket")
        abstract.bind(f"\0repro-{sleeper.pid}")
        for listener in (server, unix, abstract):
            listener.listen()
            threading.Thread(target=_greet, args=[listener], daemon=True).start()
        benchmark = Path(__file__).resolve().parents[2] / "manifests/benchmarks/dozen.jsonl"
        yield {
            "folder": str(folder), "pid": str(sleeper.pid), "port": str(server.getsockname()[1]), "key": str(key),
            "benchmark": str(benchmark), "home": str(Path.home()), "add_key": str(ADD_KEY.get(platform.machine(), -1)),
        }  # fmt: skip
        sleeper.kill()
        shared.unlink()
        libc.shmctl(segment, 0, None)
        for listener in (unix, abstract):
            listener.close()


def _greet(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.sendall(b"hello")


@pytest.fixture(scope="module")
def programs(attacks: ModuleType, host: dict[str, str]) -> dict[str, str]:
    """Every attack's program, aimed at this machine."""

    def aimed(code: str) -> str:
        for word, value in host.items():
            code = code.replace(f"<{word}>", value)
        return code

    return {attack.name: aimed(attack.code) for attack in attacks.ATTACKS}


def run(
    programs: Mapping[str, str], dozen: Mapping[str, Problem], sandbox: Sandbox
) -> dict[str, Scored]:
    candidates = [Candidate(name, code) for name, code in programs.items()]
    found, _ = score({TASK: candidates}, dozen, sandbox)
    return {scored.key: scored for scored in found}


@pytest.fixture(scope="module")
def small_sandbox(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Boxes with little memory, ended soon when they leave the processor alone."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (repro.score.bubblewrap, repro.score.containers):
            patch.setattr(module, "MEMORY", SMALL)
        patch.setattr(repro.score.attempt, "IDLE", 3.0)
        yield sandbox


@pytest.fixture(scope="module")
def boxed(
    small_sandbox: Sandbox, programs: dict[str, str], dozen: Mapping[str, Problem]
) -> dict[str, Scored]:
    """What became of every attack in this sandbox."""
    own = {"honest": dozen[TASK].prompt + dozen[TASK].canonical_solution}
    return run({**programs, **own}, dozen, small_sandbox)


def test_every_attack_fails_in_a_box(boxed: dict[str, Scored], attacks: ModuleType) -> None:
    """More than forty, and none is scored as passed, nor left unscored; an honest candidate among
    them passes.
    """
    assert len(attacks.ATTACKS) >= 60
    results = {name: scored.base.result for name, scored in boxed.items()}
    assert results.pop("honest") == "passed"
    assert {name: result for name, result in results.items() if result != "failed"} == {}


def test_nothing_of_the_host_was_changed(boxed: dict[str, Scored], host: dict[str, str]) -> None:
    """The folder of the host is as it was, and its process is alive."""
    assert (
        sorted(path.name for path in Path(host["folder"]).iterdir()) == ["secret", "socket"]
        or boxed is None
    )
    os.kill(int(host["pid"]), 0)


def test_every_attack_on_the_machine_works_without_a_box(
    programs: dict[str, str],
    attacks: ModuleType,
    dozen: Mapping[str, Problem],
    host: dict[str, str],
) -> None:
    """The same programs, run as the user who asks: what the box stops is really tried."""
    if os.getuid() != 0:
        pytest.skip("some attacks succeed for root alone")
    names = [attack.name for attack in attacks.ATTACKS if attack.control == "outside"]
    found = run({name: programs[name] for name in names}, dozen, Unboxed())
    for made in Path(host["folder"]).glob("link*"):
        made.unlink()
    (Path(host["folder"]) / "written").unlink(missing_ok=True)
    assert {
        name: scored.base for name, scored in found.items() if scored.base.result != "passed"
    } == {}


def test_every_attack_on_the_grader_works_on_a_naive_one(
    programs: dict[str, str], attacks: ModuleType
) -> None:
    """A grader in the candidate's process calls each of them a pass; a wrong answer it knows."""
    names = [attack.name for attack in attacks.ATTACKS if attack.control == "naive"]
    running = {name: _naive(attacks, programs[name]) for name in names}
    assert {
        name: code for name, process in running.items() if (code := process.wait(500)) != 0
    } == {}
    assert _naive(attacks, "def add_up(numbers): return 0").wait(60) == 1


def _naive(attacks: ModuleType, code: str) -> "subprocess.Popen[bytes]":
    script = f"CODE = {code!r}\n{attacks.NAIVE}"
    return subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


LATER = """
import posix, time, io
def add_up(numbers):
    if posix.fork() == 0:
        posix.setsid()
        time.sleep(2)
        io.open('{folder}/later', 'w').close()
        posix._exit(0)
    return sum(numbers)
"""


def test_a_child_that_is_left_behind_ends_with_its_box(
    small_sandbox: Sandbox, dozen: Mapping[str, Problem], tmp_path: Path
) -> None:
    """The answer counts and the child is gone; without a box it lives on and writes its file."""
    tmp_path.chmod(0o777)
    found = run({"later": LATER.replace("{folder}", str(tmp_path))}, dozen, small_sandbox)
    assert found["later"].base.result == "passed"
    time.sleep(4)
    assert not (tmp_path / "later").exists()
    code = LATER.replace("{folder}", str(tmp_path)) + "add_up([])"
    subprocess.run([sys.executable, "-c", code], check=True)
    time.sleep(4)
    assert (tmp_path / "later").exists()


def test_what_breaks_its_own_process_breaks_no_other(
    small_sandbox: Sandbox, dozen: Mapping[str, Problem]
) -> None:
    """Huge outputs, deep recursion, killing everything in reach, a flood on the channel: failed,
    with the reason.
    """
    deep = (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)\ndef "
        "add_up(numbers): return f(0)\n"
    )
    kill = (
        "import posix\ndef add_up(numbers):\n    try: posix.kill(-1, 9)\n    finally: "
        "posix.kill(posix.getppid(), 9)\n"
    )
    flood = (
        "import posix\nfor fd in range(3, 20):\n    try: posix.write(fd, b'x' * 10000)\n    "
        "except OSError: pass\n"
    )
    forged = (
        "import posix, struct\nframe = struct.pack('>IcBId', 1, b'V', 0, 0, 0.0) + "
        "b'6'\nfor fd in range(3, 20):\n"
        "    try: posix.write(fd, frame)\n    except OSError: pass\ndef add_up(numbers): return 6\n"
    )
    nested = "def add_up(numbers):\n    x = []\n    for _ in range(10**5): x = [x]\n    return x\n"
    found = run(
        {
            "huge": "def add_up(numbers): return 'a' * (50 << 20)",
            "deep": deep, "kill": kill, "flood": flood + "def add_up(numbers): return sum(numbers)", "forged": forged,
            "nested": nested, "collide": "def add_up(n): return {i * (2**61 - 1): 0 for i in range(60000)}",
            "segfault": "import ctypes\ndef add_up(n): return ctypes.string_at(0)",
            "self": "import posix\ndef add_up(n): posix.kill(posix.getpid(), 9)",
            "closes": "import posix\nposix.closerange(0, 256)\ndef add_up(n): return sum(n)",
            "honest": "def add_up(numbers): return sum(numbers)",
        },
        dozen,
        small_sandbox,
    )  # fmt: skip
    assert found.pop("honest").plus.result == "passed"
    assert {name: scored.base.result for name, scored in found.items()} == dict.fromkeys(
        found, "failed"
    )
    assert "bytes" in found["huge"].base.reason


def test_a_box_that_is_not_closed_is_refused(dozen: Mapping[str, Problem]) -> None:
    """What the box is said from inside decides, not what was asked for: without a box, nothing is
    run.
    """
    with pytest.raises(SetupError, match="as seen from inside"):
        score(
            {TASK: [Candidate(0, "def add_up(n): return sum(n)")]},
            dozen,
            Unboxed(),
            closed=Closed(),
        )


def test_an_exhausted_box_scores_nothing(
    any_sandbox: Sandbox, dozen: Mapping[str, Problem], monkeypatch: Any
) -> None:
    """No process left: not scored, with the reason; with processes left it passes."""
    import repro.score.outcomes

    monkeypatch.setattr(repro.score.outcomes, "AGAIN", 0.1)
    honest = {TASK: [Candidate(0, "def add_up(numbers): return sum(numbers)")]}
    found, _ = score(honest, dozen, any_sandbox)
    assert found[0].plus.result == "passed"
    for module in (repro.score.bubblewrap, repro.score.containers):
        monkeypatch.setattr(module, "PROCESSES", 2)
    found, _ = score(honest, dozen, any_sandbox)
    assert found[0].plus.result == "not_scored"
    assert "not run" in found[0].plus.reason


SHUT = {
    "user": 10001,
    "capabilities": 0,
    "no_new_privileges": True,
    "seccomp": True,
    "interfaces": ["lo"],
    "root_read_only": True,
    "processes": 2,
}
"""The facts of a closed box."""


@pytest.mark.parametrize(
    ("fact", "value", "told"),
    [
        ("user", 0, "runs as root"),
        ("capabilities", 1 << 21, "has capabilities"),
        ("no_new_privileges", False, "may gain privileges"),
        ("seccomp", False, "has no filter of system calls"),
        ("interfaces", ["eth0", "lo"], "has a network"),
        ("root_read_only", False, "has a writable root"),
        ("processes", 4, "sees other processes"),
        ("processes", 0, "sees other processes"),
    ],
)
def test_whatever_is_open_is_named(fact: str, value: Any, told: str) -> None:
    Closed().refuse(SHUT)
    Closed().refuse(SHUT | {"interfaces": []})
    with pytest.raises(SetupError, match=rf"^sandbox: the box {told} as seen from inside; no"):
        Closed().refuse(SHUT | {fact: value})
    Closed(expected=False).refuse(SHUT | {fact: value})


def test_a_box_that_reports_nothing_is_taken_for_open_in_all_but_its_user() -> None:
    with pytest.raises(SetupError) as refused:
        Closed().refuse({})
    assert str(refused.value).count(",") == 5


def test_a_pipe_tells_nothing_yet_from_the_end() -> None:
    """And what is sent to a process that is gone raises OSError."""
    command = [sys.executable, "-c", "import os; os.write(1, os.read(0, 9)[::-1])"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert read_pipe(process, 0.01) is None
    write_pipe(process, b"abc")
    assert read_pipe(process, 60) == b"cba"
    assert read_pipe(process, 60) == b""
    process.wait()
    with pytest.raises(OSError, match="Broken pipe"):
        write_pipe(process, b"more")
    close_pipes(process)
    assert process.returncode == 0


def test_of_all_packages_a_candidate_finds_numpy_alone() -> None:
    code = "import sys; sys.path += sys.argv[1:]; import numpy; print(numpy.__file__)"
    folders = numpy_folders()
    assert {Path(folder).name for folder in folders} <= {"numpy", "numpy.libs"}
    site = str(Path(folders[0]).parent)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, site], capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).parent == Path(folders[0])
