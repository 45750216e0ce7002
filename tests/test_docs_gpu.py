"""docs/gpu.md: every command on the page does what the page says, on a twin that fits a machine
without a card.
"""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from string import Template

import pytest

from repro.execute.cluster import Cluster
from repro.manifest.yaml import read_yaml, validate

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "gpu.md").read_text()
BLOCKS = re.findall(r"(?:^    .+\n)+", PAGE, re.M)
LINES = [line.strip() for block in BLOCKS for line in block.splitlines()]
COMMANDS = [line for line in LINES if line.startswith(("repro ", "make "))]
Command = Callable[..., subprocess.CompletedProcess[str]]
TWIN = Template("""
id: twin
title: Two short runs in the place of the scale ladder's 22
image: $image
probe_set: factorial_48
domains: {code: [standard_library], natural_language: [python_topics]}
conditions:
  B3: {title: code and natural language, phases: [{steps: 2, mixture: {code: 0.7, natural_language: 0.3}}]}
training:
  lora: {rank: 4, alpha: 8, dropout: 0.0}
  optimizer: {learning_rate: 0.01, warmup: 0.1}
  accumulation: 2
  tokens_per_forward: 64
  max_length: 32
  gradient_checkpointing: false
  compute: float32
  checkpoint_every: 1
  heldout: 0
diagnostics: {every: 2, also: []}
arms:
  - {models: [tiny-llama], conditions: [B3], seeds: $seeds}
""")


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    """A manifest that asks for the CUDA image as the scale ladder does."""
    path = tmp_path / "twin.yaml"
    path.write_text(TWIN.substitute(image="cuda", seeds="[0, 1]"))
    return path


def on(twin: Path, command: str) -> list[str]:
    """A command of the page with the twin in the ladder's place, and its rung in the place of the
    7B model's.
    """
    words = (
        command.replace("scale_ladder", str(twin)).replace("qwen2.5-coder-7b", "tiny-llama").split()
    )
    return [word.strip("'") for word in words[1:]]


def test_the_page_shows_the_whole_way() -> None:
    """From set-up to verdict, in this order; nothing else is a command."""
    verbs = [" ".join(command.split()[:2]) for command in COMMANDS]
    assert verbs == [
        "make setup", "repro doctor", "make images", "repro fetch", "repro plan", "repro run", "repro status",
        "make reproduce", "make reproduce", "repro ingest", "repro verify", "repro explain",
    ]  # fmt: skip
    others = [line for line in LINES if line not in COMMANDS]
    assert others == ["partition: gpu", "account: example", "container: docker"]


@pytest.mark.worker
def test_its_repro_commands_work_one_after_the_other(repro: Command, twin: Path) -> None:
    """On a machine with no card: local, since the image is not here, or in the image without a GPU."""
    for command in COMMANDS:
        if not command.startswith("repro "):
            continue
        done = repro(*on(twin, command))
        expected = 3 if command.startswith("repro verify") else 0
        assert done.returncode in (0, expected), f"{command}: {done.stdout}{done.stderr}"
        if command.startswith("repro run"):
            assert re.search(r"^runner (local|docker): .*image cuda", done.stdout, re.M), (
                done.stdout
            )
            assert "1 of 1 runs finished" in done.stdout
        if command.startswith("repro plan"):
            assert "tiny-llama-B3-s1" in done.stdout
            assert re.search(r"^runner (local|docker): ", done.stdout, re.M)
    status = repro("status")
    assert "tiny-llama-B3-s0" in status.stdout
    assert "tiny-llama-B3-s1" not in status.stdout, "one rung alone was run"


@pytest.mark.worker
def test_its_reproduce_command_ends_with_a_verdict(twin: Path, tmp_path: Path, cache: Path) -> None:
    """The script behind `make reproduce`, with the local runner: containers and Slurm have stages
    of their own.
    """
    twin.write_text(TWIN.substitute(image="local", seeds="[0]"))
    environment = {
        **os.environ, "REPRO_CACHE": str(cache), "REPRO_RESULTS": str(tmp_path / "results"), "RUNNER": "local",
    }  # fmt: skip
    if not (ROOT / ".venv" / "bin" / "repro").exists():
        pytest.skip("not a checkout that `make setup` has set up")
    done = subprocess.run(
        [ROOT / "ci" / "reproduce.sh", str(twin)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 runs finished" in done.stdout
    assert f"evidence: {tmp_path}/results/runs/" in done.stdout


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if command.startswith("make ")]
)
def test_its_make_targets_take_what_the_page_gives_them(command: str) -> None:
    """Shown and not carried out: set-up, images and reproduction run in the stages of CI."""
    done = subprocess.run(
        ["make", "--dry-run", *command.split()[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if "images" in command:
        assert "repro images cuda" in done.stdout
    if "reproduce" in command:
        runner = command.rpartition("=")[2]
        assert f"RUNNER={runner} ONLY='' ci/reproduce.sh \"scale_ladder\"" in done.stdout


def test_its_cluster_file_is_one(tmp_path: Path) -> None:
    """What it does not say of memory, hours and GPUs, the plan says."""
    block = next(block for block in BLOCKS if "partition:" in block)
    (tmp_path / "cluster.yaml").write_text(re.sub(r"^    ", "", block, flags=re.M))
    cluster = validate(Cluster, read_yaml(tmp_path / "cluster.yaml"), "docs/gpu.md")
    assert (cluster.partition, cluster.container) == ("gpu", "docker")
    assert (cluster.memory_gib, cluster.minutes, cluster.gpus) == (None, None, None)
