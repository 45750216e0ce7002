"""GPU-hours follow what a run computes: what it trains, in which precision, and what it reads and measures."""

import pytest

from repro.manifest.load import experiment_names, load_experiment
from repro.manifest.training import BlockDiagonal, Csr, Full, Penalty
from repro.plan.budget import Cost, cost, total
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


@pytest.fixture(scope="module")
def run() -> Run:
    """Qwen2.5-Coder-7B, 5000 steps of 16 texts, LoRA of rank 64, bfloat16, measured 11 times."""
    return expand(load_experiment("scale_ladder"), local_environment())[0]


def with_training(run: Run, **update: object) -> Run:
    return run.model_copy(update={"training": run.training.model_copy(update=update)})


TOTAL, LINEAR, TRAINED = 7_615_616_512, 6_525_288_448, 161_480_704
"""Parameters of Qwen2.5-7B, of its blocks' linear modules, and of LoRA with rank 64 on them."""
LOAD = 2 * TOTAL / 1e9
"""Seconds to read two bytes a weight at 1 GB/s."""


def by_hand(per_token: float, peak: float) -> list[float]:
    """Hours at both ends: 5000 steps of 16 texts of 250 or 700 tokens, 11 captures of 4,000 or 50,000 in float32."""
    return [
        (LOAD + (80_000 * length * per_token / peak + 11 * 2 * LINEAR * probes / 19.5e12) / share) / 3600
        for length, probes, share in ((250, 4_000, 0.45), (700, 50_000, 0.20))
    ]


def test_a_run_of_7b_costs_what_it_does_by_hand(run: Run) -> None:
    """Forward and backward through frozen weights, the blocks' forward pass again, three products of the adapter."""
    hours = cost(run)
    assert [hours.low, hours.high] == pytest.approx(by_hand(4 * TOTAL + 2 * LINEAR + 6 * TRAINED, 312e12))
    assert hours.low == pytest.approx(1.8, abs=0.05)


def test_float32_products_run_at_their_own_peak(run: Run) -> None:
    hours = cost(with_training(run, compute="float32"))
    assert [hours.low, hours.high] == pytest.approx(by_hand(4 * TOTAL + 2 * LINEAR + 6 * TRAINED, 19.5e12))


def test_full_fine_tuning_adds_the_gradients_of_the_weights(run: Run) -> None:
    hours = cost(with_training(run, adapter=Full()))
    assert [hours.low, hours.high] == pytest.approx(by_hand(6 * TOTAL + 2 * LINEAR, 312e12))
    assert hours.low > cost(run).low


def test_an_adapter_on_fewer_modules_costs_less(run: Run) -> None:
    block = with_training(run, adapter=BlockDiagonal(grouping="aligned"))
    unchecked = with_training(run, gradient_checkpointing=False)
    assert cost(block).low < cost(run).low
    assert cost(unchecked).low < cost(run).low


def test_a_penalty_costs_what_its_passes_cost_and_an_attached_one_more(run: Run) -> None:
    def hours(gradient: str, every: int) -> float:
        penalty = Penalty.model_validate({"strength": 0.1, "gradient": gradient})
        condition = run.condition.model_copy(update={"csr": penalty})
        return cost(with_training(run.model_copy(update={"condition": condition}), csr=Csr(every=every))).low

    assert cost(run).low < hours("detached", 50) < hours("attached", 50)
    assert hours("attached", 50) == pytest.approx(hours("detached", 25))


@pytest.mark.parametrize("name", experiment_names())
def test_no_run_is_free(name: str) -> None:
    """One that trains nothing still loads a model and measures it."""
    runs = expand(load_experiment(name), local_environment())
    assert all(0 < cost(run).low < cost(run).high for run in runs)
    assert total(runs).runs == len(runs)
    assert total([]) == Cost(0, 0.0, 0.0), "the positive control: no run, no hours"


def test_measuring_alone_is_loading_and_one_capture(run: Run) -> None:
    base = run.model_copy(update={"condition": run.condition.model_copy(update={"phases": ()})})
    assert cost(base).low == pytest.approx((LOAD + 2 * LINEAR * 4_000 / 19.5e12 / 0.45) / 3600)
