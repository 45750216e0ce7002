"""What cannot be carried out is said, by the memory that is really there."""

import pytest

from repro.cost.fit import obstacle, refusal
from repro.cost.space import gibibytes, gpu_gibibytes
from repro.manifest.adapters import Full
from repro.manifest.load import load_experiment
from repro.manifest.training import Condition
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


@pytest.fixture(scope="module")
def run() -> Run:
    """32B in 4 bits."""
    return next(
        r
        for r in expand(load_experiment("scale_ladder"), local_environment())
        if "32b" in r.model.id
    )


def test_a_gpu_decides_by_its_own_memory_where_there_is_one(run: Run) -> None:
    """However much the machine has beside it; without a GPU the machine's memory decides."""
    least = gpu_gibibytes(run).low
    assert refusal(run, 1e4, least + 1) is None
    assert str(refusal(run, 1e4, 24.0)).startswith(
        f"needs at least {least:.0f} GiB, the GPU here has 24; "
    )
    assert refusal(run, 1e4, 24.0, cards=8) is None, (
        "eight of 24 GiB hold together what one does not"
    )
    assert "the 2 GPUs here have 8 each" in str(refusal(run, 1e4, 8.0, cards=2))
    assert refusal(run, gibibytes(run) + 1, None) is None
    assert "this machine has 24 and no GPU" in str(refusal(run, 24.0, None))


def test_nobody_is_told_to_quantise_what_is_trained_whole(run: Run) -> None:
    """LoRA on float weights would fit in 4 bits; full fine-tuning of the same model would not, and
    needs several GPUs.
    """
    condition = Condition.model_validate(
        {**run.condition.model_dump(), "adapter": {"kind": "full"}}
    )
    full = run.model_copy(
        update={"condition": condition, "training": run.training.under(condition)}
    )
    assert isinstance(full.training.trained, Full)
    assert "4-bit" not in str(obstacle(full))
    assert "the nearest that would is 7 such GPUs" in str(obstacle(full))
    plain = run.training.model_copy(update={"quantisation": full.training.quantisation})
    assert "with 4-bit weights (" in str(obstacle(run.model_copy(update={"training": plain})))
