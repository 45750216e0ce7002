"""The plan's counts are those of the real architectures, built by transformers and peft without a
byte of weights.
"""

from functools import cache

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from repro.cost.fit import obstacle, too_large
from repro.cost.memory import training_memory
from repro.cost.space import GPU_GIB, forward_tokens, gibibytes, gpu_gibibytes
from repro.manifest.adapters import Lora
from repro.manifest.load import load_experiment, load_models
from repro.manifest.model import Model
from repro.manifest.training import Quantisation, Training
from repro.plan.expand import expand, local_environment
from repro.train.weights import MODEL_FAMILIES, configuration

MODELS = sorted(load_models())


@cache
def real(name: str) -> nn.Module:
    """The architecture on the meta device."""
    model: Model = load_models()[name]
    config, network = MODEL_FAMILIES[model.architecture.family]
    with torch.device("meta"):
        return network(config(**configuration(model.architecture)))


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_those_of_the_real_architecture(name: str) -> None:
    """Every weight, norm and bias; and what a quantised model quantises."""
    shape = load_models()[name].architecture
    assert shape.parameters == real(name).num_parameters()  # type: ignore[operator]  # a method of transformers models
    head = real(name).get_output_embeddings()  # type: ignore[operator]  # a method of transformers models
    linear = [
        m.weight.numel() for m in real(name).modules() if isinstance(m, nn.Linear) and m is not head
    ]
    assert shape.linear_parameters == sum(linear)


@pytest.mark.worker
@pytest.mark.parametrize(
    "name", ["tiny-qwen2", "smollm2-135m", "mistral-7b-v0.3", "qwen2.5-coder-32b"]
)
@pytest.mark.parametrize(
    "targets", [Lora().targets, ("q_proj", "v_proj")], ids=["all linear", "attention"]
)
def test_trained_parameters_are_those_peft_adds(name: str, targets: tuple[str, ...]) -> None:
    """Rank 64 on every target."""
    real.cache_clear()  # peft changes the model it is given
    training = Training(lora=Lora(rank=64, targets=targets))
    adapted = get_peft_model(real(name), LoraConfig(r=64, target_modules=list(targets)))  # type: ignore[arg-type]  # a PreTrainedModel
    trained = [value for value in adapted.parameters() if value.requires_grad]
    shape = load_models()[name].architecture
    assert training.trained.parameters(shape) == sum(value.numel() for value in trained)
    real.cache_clear()


def test_every_saving_saves() -> None:
    """4 bits, checkpointing, a smaller rank and shorter passes each need less than their opposite."""
    shape = load_models()["qwen2.5-coder-7b"].architecture
    given = Training()
    most = training_memory(shape, given, 2048)
    for dearer in (
        given.model_copy(update={"quantisation": Quantisation(format="none")}),
        given.model_copy(update={"gradient_checkpointing": False}),
        given.model_copy(update={"lora": Lora(rank=128)}),
    ):
        assert training_memory(shape, dearer, 2048).total > most.total
    assert training_memory(shape, given, 1024).total < most.total


def test_a_packed_pass_takes_the_memory_of_its_tokens() -> None:
    """Padding is what it saves: the largest pass of a mixed step holds fewer tokens, or as many."""
    shape, given = load_models()["smollm2-135m"].architecture, Training(tokens_per_forward=1024)
    packed = given.model_copy(update={"packing": "packed"})
    assert training_memory(shape, packed, 1024) == training_memory(shape, given, 1024)
    assert forward_tokens(packed, 250) == forward_tokens(given, 250) == 1024
    lengths = [700, *[40] * 15]
    largest = max(
        packed.computed([lengths[row] for row in rows]) for rows in packed.passes(lengths)
    )
    assert largest <= 1024 < given.computed(lengths)


def test_a_run_that_cannot_fit_names_the_nearest_that_would() -> None:
    """Full precision at 32B does not fit one GPU; at 4 bits it does, and the message says so."""
    run = next(
        r
        for r in expand(load_experiment("scale_ladder"), local_environment())
        if "32b" in r.model.id
    )
    assert gpu_gibibytes(run).high < GPU_GIB
    assert obstacle(run) is None
    full = run.model_copy(
        update={
            "training": run.training.model_copy(
                update={"quantisation": Quantisation(format="none")}
            )
        }
    )
    assert "with 4-bit weights (" in str(obstacle(full))
    assert "such GPUs" in str(obstacle(run, gibibytes=8))


def test_a_run_too_large_for_this_memory_is_refused_and_a_small_one_is_not() -> None:
    """The 7B model on a laptop of 16 GiB, and the laptop's own manifest on the same."""
    large = expand(load_experiment("scale_ladder"), local_environment())[0]
    small = expand(load_experiment("laptop"), local_environment())[0]
    assert "needs about" in str(too_large(large, 16))
    assert "or its twin scale_ladder_laptop" in str(too_large(large, 16))
    alone = large.model_copy(update={"experiment": "mine"})
    assert "or a manifest of smaller models" in str(too_large(alone, 16))
    assert too_large(small, 16) is None
    assert too_large(small, gibibytes(small) - 0.1) is not None


def test_measuring_alone_needs_less_than_training() -> None:
    """A trained run, and the same without its training, on a GPU and on a CPU."""
    trained = expand(load_experiment("laptop"), local_environment())[0]
    base = trained.model_copy(
        update={"condition": trained.condition.model_copy(update={"phases": ()})}
    )
    assert gpu_gibibytes(base).high < gpu_gibibytes(trained).low
    assert gibibytes(base) < gibibytes(trained)
    plain = base.model_copy(
        update={"diagnostics": base.diagnostics.model_copy(update={"also": ()})}
    )
    assert gibibytes(base) > gibibytes(plain), "further diagnostics take memory of their own"
