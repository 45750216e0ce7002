"""Hostile candidates. Each answers rightly only where its attack succeeds.

`outside`: shown to succeed by the same program without a box. `naive`: shown to succeed against a
grader that shares the candidate's process and believes its exit code. Words in angle brackets are
filled in by the test.
"""
# ruff: noqa: E501 (programs are easier to compare on one line each)

from dataclasses import dataclass
from typing import Literal

C = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
BURN = (
    "def burn(s):\n    import time\n    end = time.process_time() + s\n    while "
    "time.process_time() < end: pass\n"
)


@dataclass(frozen=True)
class Attack:
    name: str
    code: str
    control: Literal["outside", "naive"]


def outside(name: str, attempt: str, before: str = "") -> Attack:
    """An attack whose success is the value of `attempt`, the body of a function."""
    body = "".join(f"    {line}\n" for line in attempt.splitlines())
    code = (
        f"import posix, io, socket, sys, time, signal\n{before}def attack():\n{body}"
        "done = []\ndef add_up(numbers):\n    try:\n        done or done.append(attack())\n"
        "    except OSError:\n        return None\n    return sum(numbers) if done[0] else None\n"
    )
    return Attack(name, code, "outside")


def naive(name: str, code: str) -> Attack:
    return Attack(name, code, "naive")


ATTACKS = (
    # what lies outside: network, files, processes
    outside("network_loopback", "return socket.create_connection(('127.0.0.1', <port>), 5).recv(5) == b'hello'"),
    outside("network_unix_socket", "s = socket.socket(socket.AF_UNIX)\ns.connect('<folder>/socket')\nreturn s.recv(5) == b'hello'"),
    outside("network_abstract_socket", "s = socket.socket(socket.AF_UNIX)\ns.connect('\\0repro-<pid>')\nreturn s.recv(5) == b'hello'"),
    outside("network_raw_socket", "return socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    outside("network_packet_socket", "return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)"),
    outside("network_other_interfaces", "return len(socket.if_nameindex()) > 1"),
    outside("file_read", "return io.open('<folder>/secret').read() == 'secret'"),
    outside("file_read_by_symlink", "posix.symlink('<folder>/secret', 'link')\nreturn io.open('link').read() == 'secret'"),
    outside("file_read_by_hard_link", "name = '<folder>/link%d' % posix.getpid()\nposix.link('<folder>/secret', name)\nreturn io.open(name).read() == 'secret'"),
    outside("file_write", "io.open('<folder>/written', 'w').write('x')\nreturn io.open('<folder>/written').read() == 'x'"),
    outside("file_write_beside_python", "name = sys.prefix + '/repro-test-%d' % posix.getpid()\nio.open(name, 'w').close()\nposix.unlink(name)\nreturn True"),
    outside("file_read_by_dots", "return io.open('/proc/self/root/../<folder>/secret').read() == 'secret'"),
    outside("file_of_passwords", "return 'root' in io.open('/etc/shadow').read()"),
    outside("file_of_the_benchmark", "import json\nline = io.open('<benchmark>').readline()\nreturn 'canonical_solution' in json.loads(line)"),
    outside("home_folder", "return len(posix.listdir('<home>')) > 1"),
    outside("environment_of_the_host", "return b'REPRO_TEST_TOKEN' in io.open('/proc/<pid>/environ', 'rb').read()"),
    outside("memory_of_the_host", "return io.open('/proc/<pid>/maps').read() and io.open('/proc/<pid>/mem', 'rb')"),
    outside("processes_of_the_host", "return b'sleep' in io.open('/proc/<pid>/cmdline', 'rb').read()"),
    outside("working_folder_of_the_host", "return posix.listdir('/proc/<pid>/cwd') is not None"),
    outside("root_of_the_host", "return io.open('/proc/<pid>/root<folder>/secret').read() == 'secret'"),
    outside("signal_to_the_host", "posix.kill(<pid>, 0)\nreturn True"),
    outside("signal_that_stops_the_host", "posix.kill(<pid>, signal.SIGCONT)\nreturn True"),
    outside("priority_of_the_host", "posix.setpriority(0, <pid>, 1)\nreturn True"),
    outside("ptrace", "if libc.ptrace(16, <pid>, 0, 0) != 0: return False\ntime.sleep(0.1)\nlibc.ptrace(17, <pid>, 0, 0)\nreturn True", C),
    outside("shared_memory_of_the_host", "return libc.shmget(<key>, 0, 0) >= 0", C),
    outside("shared_memory_file_of_the_host", "return io.open('/dev/shm/repro-<pid>').read() == 'secret'"),
    outside("kernel_setting", "text = io.open('/proc/sys/vm/swappiness').read()\nio.open('/proc/sys/vm/swappiness', 'w').write(text)\nreturn True"),
    # rights that a candidate has no use for
    outside("become_root", "posix.setuid(0)\nreturn posix.getuid() == 0 and posix.access('/root', 7)"),
    outside("new_user_namespace", "return libc.unshare(0x10000000) == 0", C),
    outside("new_network_namespace", "return libc.unshare(0x40000000) == 0", C),
    outside("mount", "return libc.unshare(0x20000) == 0 and libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0", C),
    outside("change_root", "return libc.chroot(b'/tmp') == 0", C),
    outside("make_device", "posix.mknod('device', 0o20600, 0x103)\nposix.unlink('device')\nreturn True"),
    outside("host_name", "return libc.unshare(0x4000000) == 0 and libc.sethostname(b'x', 1) == 0", C),
    outside("kernel_keys", "return libc.syscall(<add_key>, b'user', b'repro-test', b'x', 1, -1) > 0", C),
    outside("higher_priority", "posix.setpriority(0, 0, -5)\nreturn True"),
    # using up what there is
    outside("fork_bomb", "made = []\ntry:\n    for _ in range(100):\n        child = posix.fork()\n        if child == 0:\n            time.sleep(3)\n            posix._exit(0)\n        made.append(child)\nfinally:\n    for child in made: posix.kill(child, 9)\nreturn len(made) == 100"),
    outside("threads", "import threading\nstop = threading.Event()\nmade = []\ntry:\n    for _ in range(100):\n        t = threading.Thread(target=stop.wait)\n        t.start()\n        made.append(t)\nexcept RuntimeError: return False\nfinally: stop.set()\nreturn True"),
    outside("disk", "with io.open('large', 'wb') as file:\n    for _ in range(100): file.write(bytes(1 << 20))\nposix.unlink('large')\nreturn True"),
    outside("many_open_files", "held = [posix.dup(0) for _ in range(400)]\nfor descriptor in held: posix.close(descriptor)\nreturn True"),
    outside("memory_of_children", "import mmap\nends = []\nfor _ in range(3):\n    child = posix.fork()\n    if child == 0:\n        try:\n            block = bytearray(b'x') * (150 << 20)\n            time.sleep(1)\n            posix._exit(7)\n        except BaseException: posix._exit(1)\n    ends.append(child)\nreturn all(posix.waitpid(child, 0)[1] == 7 << 8 for child in ends)"),
    # time
    naive("processor_time", BURN + "def add_up(numbers):\n    burn(2.5)\n    return sum(numbers)\n"),
    naive("processor_time_without_signals", "import signal\nfor number in (14, 15, 24, 27):\n    signal.signal(number, signal.SIG_IGN)\n" + BURN + "def add_up(numbers):\n    burn(2.5)\n    return sum(numbers)\n"),
    naive("processor_time_of_a_child", "import posix\n" + BURN + "def add_up(numbers):\n    child = posix.fork()\n    if child == 0:\n        burn(2.5)\n        posix._exit(0)\n    posix.waitpid(child, 0)\n    return sum(numbers)\n"),
    naive("processor_time_of_an_orphan", "import posix, signal, time\n" + BURN + "def add_up(numbers):\n    signal.signal(17, signal.SIG_IGN)\n    r, w = posix.pipe()\n    if posix.fork() == 0:\n        if posix.fork() == 0:\n            burn(2.5)\n            posix.write(w, b'x')\n        posix._exit(0)\n    posix.read(r, 1)\n    return sum(numbers)\n"),
    naive("processor_time_in_slices_of_children", "import posix, signal\n" + BURN + "def add_up(numbers):\n    signal.signal(17, signal.SIG_IGN)\n    for _ in range(13):\n        r, w = posix.pipe()\n        if posix.fork() == 0:\n            burn(0.2)\n            posix._exit(0)\n        posix.close(w)\n        posix.read(r, 1)\n        posix.close(r)\n    return sum(numbers)\n"),
    naive("processor_time_of_a_thread", "import threading\ndef add_up(numbers):\n    done = []\n    def work():\n        import time\n        end = time.thread_time() + 2.5\n        while time.thread_time() < end: pass\n        done.append(sum(numbers))\n    t = threading.Thread(target=work); t.start(); t.join()\n    return done[0]\n"),
    naive("sleeping", "import time\ndef add_up(numbers):\n    time.sleep(6)\n    return sum(numbers)\n"),
    naive("waiting_for_nobody", "import threading\ndef add_up(numbers):\n    threading.Event().wait(6)\n    return sum(numbers)\n"),
    # the grader
    naive("forged_equality", "class Yes:\n    def __eq__(self, other): return True\ndef add_up(numbers): return Yes()\n"),
    naive("forged_equality_of_a_number", "class Yes(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef add_up(numbers): return Yes(0)\n"),
    naive("forged_class", "class Yes:\n    __class__ = property(lambda self: int)\n    def __eq__(self, other): return True\n    def __index__(self): return 0\ndef add_up(numbers): return Yes()\n"),
    naive("exit_0", "import posix\ndef add_up(numbers): posix._exit(0)\n"),
    naive("exit_0_by_exception", "def add_up(numbers): raise SystemExit(0)\n"),
    naive("exit_0_while_loading", "raise SystemExit(0)\ndef add_up(numbers): return 0\n"),
    naive("forged_output", "import sys, posix\nsys.stdout.write('PASS\\n'); sys.stdout.flush()\ndef add_up(numbers): posix._exit(0)\n"),
    naive("patched_builtins", "import builtins\nbuiltins.all = lambda _: True\ndef add_up(numbers): return 0\n"),
    naive("patched_exit", "import sys, posix\nsys.exit = lambda *_: posix._exit(0)\ndef add_up(numbers): return 0\n"),
    naive("expected_in_the_caller", "import sys\ndef add_up(numbers):\n    frame = sys._getframe(1)\n    while frame:\n        names = {**frame.f_globals, **frame.f_locals}\n        if 'expected' in names: return names['expected'][names['inputs'].index([numbers])]\n        frame = frame.f_back\n"),
    naive("expected_in_the_heap", "import gc\ndef add_up(numbers):\n    for thing in gc.get_objects():\n        if isinstance(thing, dict) and 'expected' in thing and 'inputs' in thing:\n            return thing['expected'][thing['inputs'].index([numbers])]\n"),
    naive("solution_in_the_main_module", "import __main__\ndef add_up(numbers):\n    space = {}\n    exec(__main__.canonical, space)\n    return space['add_up'](numbers)\n"),
    naive("tracing_the_grader", "import sys\ndef add_up(numbers):\n    frame = sys._getframe(1)\n    while frame.f_back: frame = frame.f_back\n    frame.f_globals['wanted'] = 0\n    return 0\n"),
)  # fmt: skip

NAIVE = """
import sys
canonical = "def add_up(numbers): return sum(numbers)"
inputs, expected = [[[1, 2, 3]]], [6]
space = {}
exec(CODE, space)
for values, wanted in zip(inputs, expected):
    if not all([space["add_up"](*values) == wanted]):
        sys.exit(1)
print("PASS")
"""
"""A grader that shares the candidate's process."""
