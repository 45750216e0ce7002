"""The CUDA image without a GPU: it runs what fits the processor, has no compiler, and makes a
Triton kernel's launcher.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.errors import SetupError
from repro.evidence.folder import RunFolder
from repro.execute.container import ContainerLimits, ContainerRunner, hand_over, settings
from repro.execute.folders import cache_folder, place_run, prepare
from repro.execute.images.build import checked_image
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment

REQUIRED = os.environ.get("REPRO_REQUIRE_CUDA_IMAGE") == "1"
"""Set by the stage that builds the image: there its absence is a failure and not a reason to skip.
"""
KERNEL = """
import triton
import triton.language as tl

@triton.jit
def double(x, y, n, BLOCK: tl.constexpr):
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + place, 2 * tl.load(x + place, mask=place < n), mask=place < n)
"""
LAUNCH = f"""
import ctypes, os, sys
stand_in = "/opt/triton/no-device"
os.environ["TRITON_LIBCUDA_PATH"] = stand_in
ctypes.CDLL(stand_in + "/libcuda.so.1", mode=ctypes.RTLD_GLOBAL)
open("/tmp/kernel.py", "w").write({KERNEL!r})
sys.path.insert(0, "/tmp")
from repro.worker.__main__ import link_launcher
if LINK:
    link_launcher()
from kernel import double
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.driver import CudaDriver, CudaLauncher
from triton.compiler import ASTSource
from triton.runtime import driver
signature = {{"x": "*fp32", "y": "*fp32", "n": "i32", "BLOCK": "constexpr"}}
source = ASTSource(fn=double, signature=signature, constexprs={{(3,): 64}})
kernel = compile(source, target=GPUTarget("cuda", 80, 32))
print("cubin of", len(kernel.asm["cubin"]), "bytes")
try:
    driver.set_active(CudaDriver())
    launcher = CudaLauncher(source, kernel.metadata)
    print("launcher", callable(launcher.launch))
    launcher(1, 1, 1, 0, 1, kernel.packed_metadata, None, None, None, 0, 0, 1, 64)
except RuntimeError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def cuda_image(client: Any) -> str:
    """The CUDA image, checked: as locked, or as this machine's cache records it (`--moved`)."""
    try:
        return checked_image(client, "cuda", cache_folder())
    except SetupError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))


@pytest.fixture
def inside(client: Any, cuda_image: str, cache: Path, tmp_path: Path) -> Callable[[str], str]:
    """Run Python code in the CUDA image, shut in as a worker is; what it prints."""
    run = expand(load_experiment("smoke"), local_environment())[0]
    folder: RunFolder = prepare(place_run(run, tmp_path / "results"))
    runner = ContainerRunner(
        client, cuda_image, cache, tmp_path / "results", ContainerLimits(threads=1, memory=4 << 30)
    )

    def run_code(code: str) -> str:
        given = settings(runner, folder, hand_over(folder.path, cache))
        given.update(entrypoint=["/opt/venv/bin/python", "-c"], command=[code])
        printed: bytes = client.containers.run(cuda_image, **given, remove=True, stderr=True)
        return printed.decode().strip()

    return run_code


def test_a_kernels_launcher_is_made_inside_without_a_compiler(inside: Callable[[str], str]) -> None:
    """Triton compiles a kernel for an A100 and starts it as far as the driver, whose stand-in has
    no device.
    """
    said = inside(LAUNCH.replace("LINK", "True"))
    assert "cubin of" in said
    assert "launcher True" in said
    assert "no CUDA-capable device is detected" in said


def test_without_the_link_triton_asks_for_a_compiler(inside: Callable[[str], str]) -> None:
    """The positive control: the launcher of the image is what made the difference."""
    said = inside(LAUNCH.replace("LINK", "False"))
    assert "launcher" not in said
    assert "Failed to find C compiler" in said


def test_the_image_has_no_compiler_and_its_torch_is_built_for_cuda(
    inside: Callable[[str], str],
) -> None:
    code = (
        "import shutil, torch; print(torch.version.cuda, torch.cuda.is_available(), "
        "[shutil.which(name) for name in NAMES])"
    )
    names = ["cc", "gcc", "gcc-12", "clang", "nvcc", "make", "ld", "as", "apt", "dpkg", "pip"]
    said = inside(code.replace("NAMES", repr(names)))
    assert said.startswith("13.")
    assert said.endswith(f"False {[None] * len(names)}")
