"""4-bit weights are brought back once: the same products."""

from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from torch import nn

from repro.evaluate.generate import Completion, generate
from repro.evaluate.weights import bring_back
from repro.manifest.benchmark import load_benchmark, load_problems
from repro.manifest.evaluation import Generation
from repro.manifest.load import load_experiment
from repro.train.model import load_base, load_tokenizer

TOKENS = 24


def completions(folder: Path, model: nn.Module) -> list[tuple[str, str, int]]:
    """Task, text and tokens of the completions of four problems, alone in no batch."""
    found: list[Completion] = []
    problems = list(load_problems(load_benchmark("dozen"), Path("/nowhere")).items())[:4]
    prompts = [(task, problem.prompt) for task, problem in problems]
    generation = Generation(max_new_tokens=TOKENS)
    generate(model, load_tokenizer(folder), prompts, generation, found.append)
    return sorted((one.task_id, one.completion, one.tokens) for one in found)


@pytest.mark.worker
def test_weights_that_are_brought_back_once_give_the_texts_of_those_in_4_bits(
    tiny_llama: Path,
) -> None:
    """The same completions, from layers that are not 4-bit any more; other weights give others."""
    training = load_experiment("smoke").training
    found = []
    for _ in range(2):
        model = load_base(tiny_llama, training)
        if found:
            bring_back(model)
        assert any(isinstance(layer, Linear4bit) for layer in model.modules()) is not bool(found)
        found.append(completions(tiny_llama, model))
    assert found[0] == found[1]
    model.get_output_embeddings().weight.data.neg_()  # type: ignore[union-attr,operator]
    assert completions(tiny_llama, model) != found[0]


def test_a_layer_of_4_bits_becomes_a_plain_one_of_the_same_products() -> None:
    """With its bias; a layer that was plain stays the very same."""
    torch.manual_seed(0)
    plain = nn.Linear(64, 32)
    quantised = Linear4bit(64, 32, bias=True, compute_dtype=torch.float32, quant_type="nf4")
    quantised.load_state_dict(plain.state_dict())
    model = nn.Sequential(nn.Sequential(quantised.to("cpu")), plain)
    X = torch.randn(5, 64)
    before = model[0](X)
    assert isinstance(model[0][0], Linear4bit)
    bring_back(model)
    assert type(model[0][0]) is nn.Linear
    assert model[1] is plain
    torch.testing.assert_close(model[0](X), before, rtol=1e-5, atol=1e-6)
    assert model[0][0].weight.dtype == torch.float32
    assert not model[0][0].weight.requires_grad
