"""The plan's counts are those of the real architectures, built by transformers and peft without a byte of weights."""

from functools import cache

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from repro.manifest.load import load_experiment, load_models
from repro.manifest.model import Model
from repro.manifest.training import Lora, Quantisation, Training
from repro.plan.budget import GPU_GIB, gibibytes, gpu_gibibytes
from repro.plan.expand import expand, local_environment
from repro.plan.fit import obstacle, too_large
from repro.plan.memory import adapter_parameters, linear_parameters, parameters, training_memory
from repro.train.weights import FAMILIES, configuration

MODELS = sorted(load_models())


@cache
def real(name: str) -> nn.Module:
    """The architecture on the meta device."""
    model: Model = load_models()[name]
    config, network = FAMILIES[model.architecture.family]
    with torch.device("meta"):
        return network(config(**configuration(model.architecture)))


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_those_of_the_real_architecture(name: str):
    """Every weight, norm and bias; and what a quantised model quantises."""
    shape = load_models()[name].architecture
    assert parameters(shape) == real(name).num_parameters()  # type: ignore[operator]  # a method of transformers models
    head = real(name).get_output_embeddings()  # type: ignore[operator]  # a method of transformers models
    linear = [m.weight.numel() for m in real(name).modules() if isinstance(m, nn.Linear) and m is not head]
    assert linear_parameters(shape) == sum(linear)


@pytest.mark.worker
@pytest.mark.parametrize("name", ["tiny-qwen2", "smollm2-135m", "mistral-7b-v0.3", "qwen2.5-coder-32b"])
@pytest.mark.parametrize("targets", [Lora().targets, ("q_proj", "v_proj")], ids=["all linear", "attention"])
def test_trained_parameters_are_those_peft_adds(name: str, targets: tuple[str, ...]):
    """Rank 64 on every target."""
    real.cache_clear()  # peft changes the model it is given
    training = Training(lora=Lora(rank=64, targets=targets))
    adapted = get_peft_model(real(name), LoraConfig(r=64, target_modules=list(targets)))  # type: ignore[arg-type]  # a PreTrainedModel
    trained = [value for value in adapted.parameters() if value.requires_grad]
    shape = load_models()[name].architecture
    assert adapter_parameters(shape, training) == sum(value.numel() for value in trained)
    real.cache_clear()


def test_every_saving_saves():
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


def test_a_run_that_cannot_fit_names_the_nearest_that_would():
    """Full precision at 32B does not fit one GPU; at 4 bits it does, and the message says so."""
    run = next(r for r in expand(load_experiment("scale_ladder"), local_environment()) if "32b" in r.model.id)
    assert gpu_gibibytes(run).high < GPU_GIB
    assert obstacle(run) is None
    full = run.model_copy(
        update={"training": run.training.model_copy(update={"quantisation": Quantisation(format="none")})}
    )
    assert "with 4-bit weights (" in str(obstacle(full))
    assert "such GPUs" in str(obstacle(run, gibibytes=8))


def test_a_run_too_large_for_this_memory_is_refused_and_a_small_one_is_not():
    """The 7B model on a laptop of 16 GiB, and the laptop's own manifest on the same."""
    large = expand(load_experiment("scale_ladder"), local_environment())[0]
    small = expand(load_experiment("laptop"), local_environment())[0]
    assert "needs about" in str(too_large(large, 16))
    assert "the manifest's laptop twin" in str(too_large(large, 16))
    assert too_large(small, 16) is None
    assert too_large(small, gibibytes(small) - 0.1) is not None


def test_measuring_alone_needs_less_than_training():
    """A trained run, and the same without its training, on a GPU and on a CPU."""
    trained = expand(load_experiment("laptop"), local_environment())[0]
    base = trained.model_copy(update={"condition": trained.condition.model_copy(update={"phases": ()})})
    assert gpu_gibibytes(base).high < gpu_gibibytes(trained).low
    assert gibibytes(base) < gibibytes(trained)
    plain = base.model_copy(update={"diagnostics": base.diagnostics.model_copy(update={"also": ()})})
    assert gibibytes(base) > gibibytes(plain), "further diagnostics take memory of their own"
