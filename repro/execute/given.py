"""Choose the environment variables a worker gets. Nothing else is inherited.

Variables that choose kernels or split sums (MKL_CBWR, OMP_DYNAMIC, NVIDIA_TF32_OVERRIDE) are in no
run's name, so they are not passed on. Neither are the shell's tokens and passwords, such as
HF_TOKEN: a worker needs none.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_NAMES = frozenset(
    ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "LD_LIBRARY_PATH", "LD_PRELOAD",
     "PYTHONPATH", "PYTHONHASHSEED", "PYTHONNOUSERSITE", "VIRTUAL_ENV", "CONDA_PREFIX", "XDG_RUNTIME_DIR", "MALLOC_ARENA_MAX",
     "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CUDA_PATH", "CUDA_DEVICE_ORDER", "GPU_DEVICE_ORDINAL",
     "ROCR_VISIBLE_DEVICES", "TOKENIZERS_PARALLELISM", "DOCKER_HOST",
     "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
)  # fmt: skip
_FAMILIES = ("LC_", "NCCL_", "SLURM_", "SLURMD_", "PMI")
SECRET = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL", "JWT")
"""A name with one of these words is never passed on, whatever its family."""


def worker_environment(environment: Mapping[str, str] = os.environ, **more: str) -> dict[str, str]:
    """Return the part of an environment that workers get, with the hub switched off, and `more`."""
    kept = {name: value for name, value in environment.items() if _passes(name)}
    return {**kept, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def given_alone() -> Iterator[None]:
    """Reduce this process's environment to the chosen part and Slurm's settings, for a program
    that copies all of it.
    """
    before = dict(os.environ)
    chosen = worker_environment(before) | {
        name: value for name, value in before.items() if name.startswith("SBATCH_")
    }
    try:
        os.environ.clear()
        os.environ.update(chosen)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _passes(name: str) -> bool:
    """Return whether a variable is passed on."""
    return (name in _NAMES or name.startswith(_FAMILIES)) and not any(
        word in name for word in SECRET
    )
