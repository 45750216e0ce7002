"""CSR: the subspace against scikit-learn's PCA, the gradient against autograd in one pass, and what
detaching does.
"""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from repro.manifest.adapters import Lora
from repro.manifest.probes import ProbeSet, load_probe_set
from repro.manifest.training import Csr, Optimizer, Penalty, Training
from repro.train.adapters.place import adapt
from repro.train.batches import tokenise
from repro.train.loop import Trainer
from repro.train.model import load_base, load_tokenizer, trainable
from repro.train.regularizer import Regularizer, pooled, regularizer, target_subspace
from repro.train.texts import standard_library

TRAINING = Training(
    lora=Lora(rank=4, alpha=8, dropout=0.1, targets=("q_proj", "o_proj", "down_proj")),
    optimizer=Optimizer(learning_rate=2e-2, warmup=0.0),
    csr=Csr(every=2),
    accumulation=2,
    max_length=24,
    gradient_checkpointing=False,
    compute="float32",
)
STEPS = 6


@pytest.fixture(scope="module")
def probes() -> ProbeSet:
    """A dozen probes of three domains."""
    whole = load_probe_set("factorial_48")
    return whole.model_copy(update={"probes": whole.probes[::4]})


def prepared(folder: Path, probes: ProbeSet, penalty: Penalty) -> tuple[nn.Module, Regularizer]:
    """A model with adapters, and the penalty around its base."""
    torch.use_deterministic_algorithms(True)
    base, tokenizer = load_base(folder, TRAINING), load_tokenizer(folder)
    target = [domain == "code" for domain in probes.labels()["domain"]]
    held = regularizer(
        base, tokenizer, probes.texts(), target, TRAINING.csr, penalty, TRAINING.compute
    )
    return adapt(base, TRAINING, 0), held


def sequences(folder: Path) -> list[list[list[int]]]:
    """Two texts for every step."""
    tokenizer = load_tokenizer(folder)
    ids = [tokenise(tokenizer, text, TRAINING) for text in standard_library()[: 2 * STEPS]]
    return [ids[start : start + 2] for start in range(0, len(ids), 2)]


def trained(
    folder: Path, probes: ProbeSet, strength: float, gradient: str
) -> tuple[list[float], list[float | None]]:
    """(losses, penalties) of every step."""
    model, held = prepared(
        folder, probes, Penalty.model_validate({"strength": strength, "gradient": gradient})
    )
    steps = list(Trainer(model, TRAINING, STEPS, 0, held).run(sequences(folder)))
    return [step.loss for step in steps], [step.csr_loss for step in steps]


def test_a_detached_penalty_trains_nothing_whatever_its_strength_and_an_attached_one_does(
    tiny_llama: Path, probes: ProbeSet
) -> None:
    """The papers print identical trajectories for λ = 0.03 and 0.3 and penalties that differ
    tenfold.
    """
    (weak, weak_csr), (strong, strong_csr) = (
        trained(tiny_llama, probes, s, "detached") for s in (0.03, 0.3)
    )
    assert weak == strong
    assert [value is None for value in weak_csr] == [True, False] * 3
    weak_numbers, strong_numbers = (
        [value for value in values if value] for values in (weak_csr, strong_csr)
    )
    assert strong_numbers == pytest.approx([10 * value for value in weak_numbers], rel=1e-5)
    attached = [trained(tiny_llama, probes, strength, "attached")[0] for strength in (0.03, 0.3)]
    assert attached[0] != attached[1]
    assert attached[0][:2] == weak[:2], "the penalty is first added at the second step"
    assert attached[0][2:] != weak[2:]


def test_the_penalty_and_its_gradient_are_those_of_all_probes_at_once(
    tiny_llama: Path, probes: ProbeSet
) -> None:
    model, held = prepared(tiny_llama, probes, Penalty(strength=0.3))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in trainable(model).values():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    found = held.add(model)
    gradients = {
        name: value.grad.clone()
        for name, value in trainable(model).items()
        if value.grad is not None
    }
    model.zero_grad(set_to_none=True)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    projector = torch.eye(held.base.shape[1]) - held.subspace @ held.subspace.T
    now = torch.cat([pooled(model, part, "float32") for part in held.batches])
    base = held.base[[row for part in held.batches for row in part.rows]]
    expected = 0.3 * torch.stack([(projector @ row).norm() ** 2 for row in now - base]).mean()
    expected.backward()
    assert found == pytest.approx(float(expected.detach()), rel=1e-5)
    assert len(gradients) == len(trainable(model)) > 0
    for name, value in trainable(model).items():
        assert value.grad is not None
        assert float((gradients[name] - value.grad).norm()) < 1e-4 * float(value.grad.norm())


def test_the_base_model_itself_has_no_penalty(tiny_llama: Path, probes: ProbeSet) -> None:
    model, held = prepared(tiny_llama, probes, Penalty(strength=1.0))
    assert held.add(model) < 1e-9, "LoRA starts at the base model"


def test_a_penalised_run_goes_on_bit_for_bit_and_saves_nothing_more(
    tiny_llama: Path, probes: ProbeSet
) -> None:
    data, penalty = sequences(tiny_llama), Penalty(strength=0.3)
    model, held = prepared(tiny_llama, probes, penalty)
    whole = [
        (step.loss, step.csr_loss) for step in Trainer(model, TRAINING, STEPS, 0, held).run(data)
    ]
    model, held = prepared(tiny_llama, probes, penalty)
    first = Trainer(model, TRAINING, STEPS, 0, held)
    begun = [first.take_step(data[index]) for index in range(3)]
    saved = copy.deepcopy(first.state())
    model, held = prepared(tiny_llama, probes, penalty)
    second = Trainer(model, TRAINING, STEPS, 0, held)
    second.restore(saved)
    assert [(step.loss, step.csr_loss) for step in [*begun, *second.run(data)]] == whole
    assert {name.split("/")[0] for name in saved} == {"step", "adapter", "optimizer"}


@pytest.mark.parametrize("variance", [0.5, 0.9, 0.99])
def test_the_target_subspace_is_that_of_pca(variance: float) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 40)) * np.geomspace(10, 0.1, 40) + 20 * rng.standard_normal(40)
    found = target_subspace(torch.tensor(X), variance).numpy()
    oracle = PCA().fit(X)
    needed = int(np.searchsorted(np.cumsum(oracle.explained_variance_ratio_), variance)) + 1
    assert found.shape == (40, needed)
    assert found.T @ found == pytest.approx(np.eye(needed), abs=1e-10)
    components = oracle.components_[:needed]
    assert found @ found.T == pytest.approx(components.T @ components, abs=1e-8)
    uncentred = np.linalg.svd(X, compute_uv=False) ** 2
    assert np.searchsorted(np.cumsum(uncentred) / uncentred.sum(), variance) + 1 < needed, (
        "the mean would take it all"
    )
