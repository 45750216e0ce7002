"""Which packages compute numbers, what a lock pins of them, and what is installed."""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from repro.plan.packages import (
    computing,
    installed,
    locked_packages,
    other_packages,
    plain_name,
)

LOCK = f"""# made by a tool
--index-url https://packages.example
Torch==2.5.1+cpu ; sys_platform == '{sys.platform}' \\
    --hash=sha256:{"0" * 64}
torch==2.5.1 ; sys_platform == 'elsewhere' \\
    --hash=sha256:{"1" * 64}
huggingface_hub[hf_xet]==1.2 \\
    --hash=sha256:{"2" * 64}
numpy==2.0 ; python_version >= '3.11'
    # via a==1
"""


def test_a_lock_pins_what_is_for_this_system_without_the_name_of_a_build(tmp_path: Path) -> None:
    lock = tmp_path / "cpu.lock"
    lock.write_text(LOCK, encoding="utf-8")
    assert locked_packages(lock) == {"torch": "2.5.1", "huggingface-hub": "1.2", "numpy": "2.0"}
    lock.write_text("", encoding="utf-8")
    assert locked_packages(lock) == {}


def test_the_libraries_behind_torch_compute_on_a_gpu_only() -> None:
    pins = {"torch": "1", "triton": "2", "nvidia-cublas": "3", "cuda-toolkit": "4"}
    others = {"rich": "5", "triton-tools": "6", "pycuda": "7", "tritonclient": "8"}
    assert computing(pins | others, "cpu") == {"torch": "1"}
    on_a_gpu = computing(pins | others, "cuda")
    assert on_a_gpu == pins
    assert list(on_a_gpu) == sorted(pins)


def test_installed_packages_are_those_that_an_import_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two copies the first on the path counts, at its version without the build."""
    for folder, number in (("first", "9.8+cpu"), ("second", "9.7")):
        about = tmp_path / folder / "Some_Thing.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Name: Some_Thing\nVersion: {number}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second"), *sys.path])
    assert installed()["some-thing"] == "9.8"
    assert installed()["numpy"] == version("numpy")


@pytest.mark.parametrize("written", ["huggingface_hub", "HuggingFace.Hub", "huggingface-_.hub"])
def test_a_package_has_one_spelling(written: str) -> None:
    assert plain_name(written) == "huggingface-hub"


def test_what_is_missing_or_of_another_version_is_named_with_what_is_here() -> None:
    wanted = {"torch": "1", "numpy": "2", "peft": "3"}
    here = {"torch": "1", "numpy": "2.1", "rich": "9"}
    assert other_packages(wanted, here) == {"numpy": "2.1", "peft": "absent"}
    assert other_packages({}, here) == {}
