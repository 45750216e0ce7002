"""The environment a worker gets on this machine or a cluster's node: chosen, not inherited.

Whatever the shell holds of tokens and passwords (HF_TOKEN least of all) is none of a worker's business.
"""

import os
from collections.abc import Mapping

NAMES = frozenset(
    ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "LD_LIBRARY_PATH", "LD_PRELOAD",
     "PYTHONPATH", "PYTHONHASHSEED", "PYTHONNOUSERSITE", "VIRTUAL_ENV", "CONDA_PREFIX", "XDG_RUNTIME_DIR", "MALLOC_ARENA_MAX",
     "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CUDA_PATH", "CUDA_DEVICE_ORDER", "CUBLAS_WORKSPACE_CONFIG", "GPU_DEVICE_ORDINAL",
     "ROCR_VISIBLE_DEVICES", "TOKENIZERS_PARALLELISM", "DOCKER_HOST")
)  # fmt: skip
FAMILIES = (
    "LC_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "KMP_",
    "NVIDIA_",
    "NCCL_",
    "TORCH_",
    "PYTORCH_",
    "SLURM_",
    "SLURMD_",
    "PMI",
)
SECRET = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL", "JWT")
"""No name with one of these words is passed on, whatever family it is of."""


def given(environment: Mapping[str, str] = os.environ, **more: str) -> dict[str, str]:
    """The part of an environment that workers get, without a hub, and what else is said."""
    kept = {name: value for name, value in environment.items() if _passes(name)}
    return {**kept, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", **more}


def _passes(name: str) -> bool:
    return (name in NAMES or name.startswith(FAMILIES)) and not any(word in name for word in SECRET)
