"""Completion as a shell gets it: bash asks `repro` itself, by argcomplete's own function."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from repro.cli import parser
from repro.cli.completion import COMPLETED, _arguments

BIN = Path(sys.executable).parent
ASK = """
eval "$(register-python-argcomplete repro)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_WORDS=($1) COMP_CWORD=$2
_python_argcomplete repro
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.worker
@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
@pytest.mark.parametrize(
    ("line", "words", "not_among"),
    [
        ("repro sch", {"schema"}, "verify"),
        ("repro verify --pol", {"--policy"}, "--papers"),
        ("repro plan scale_l", {"scale_ladder", "scale_ladder_laptop"}, "smoke"),
        ("repro audit sel", {"selective"}, "scale_ladder"),
        ("repro schema man", {"manifest"}, "models"),
        ("repro audit x --format mark", {"markdown"}, "csv"),
        ("repro probes check core", {"core_60"}, "factorial_48"),
    ],
)
def test_bash_completes_verbs_options_and_names(line: str, words: set[str], not_among: str) -> None:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    asked = ["bash", "-c", ASK, "-", line, str(len(line.split()) - 1)]
    done = subprocess.run(asked, capture_output=True, text=True, env=environment, check=False)
    found = {word.strip() for word in done.stdout.split()}
    assert words <= found, done.stderr
    assert not_among not in found


def test_every_list_of_words_is_an_arguments_and_holds_some() -> None:
    called = {action.metavar for action in _arguments(parser())}
    assert COMPLETED.keys() <= called
    for words in COMPLETED.values():
        assert [*words()]


def test_without_a_shell_that_asks_nothing_is_loaded() -> None:
    code = "import sys; from repro.cli import main; main(['schema']); sys.exit('argcomplete' in sys.modules)"  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0  # fmt: skip
