"""What the package says models are built of is what transformers and peft build, and all that its
manifests may ask for.
"""

from pathlib import Path

import pytest

from repro.machine.record_structures import built_anew, everything
from repro.machine.structures import structures
from repro.manifest.load import load_models
from repro.plan.built import read_packaged

MODEL = load_models()["qwen2.5-coder-7b"]


def test_the_packages_records_are_what_is_built_here() -> None:
    """Every model at its pinned revision under every adapter of every manifest; `make structures`
    writes them anew.
    """
    anew = {key: record for key, (_, record) in built_anew().items()}
    assert anew.keys() == read_packaged().keys()
    assert anew == read_packaged()


def test_a_known_model_is_built_by_nobody(tmp_path: Path) -> None:
    wanted = list(everything().values())
    assert structures(wanted, tmp_path, pytest.fail) == [
        read_packaged()[one.key()] for one in wanted
    ]
    assert list(tmp_path.iterdir()) == []
