"""A completion is that of its problem alone, whatever is generated beside it, killed or sampled."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

import repro.evaluate.generate as under_test
from repro.evaluate.decide import Bound
from repro.evaluate.generate import Completion, generate, refuted
from repro.evaluate.stops import cut
from repro.execute.folders import cache_folder
from repro.manifest.benchmark import Problem, load_benchmark, load_problems
from repro.manifest.evaluation import Generation
from repro.manifest.load import load_models
from repro.train.model import load_tokenizer

pytestmark = pytest.mark.worker
TOKENS = 24


@pytest.fixture(scope="module")
def dozen() -> Mapping[str, Problem]:
    return load_problems(load_benchmark("dozen"), Path("/nowhere"))


@pytest.fixture(scope="module")
def prompts(dozen: Mapping[str, Problem]) -> list[tuple[str, str]]:
    return [(task, problem.prompt) for task, problem in dozen.items()]


@pytest.fixture(scope="module")
def tiny(tiny_llama: Path) -> tuple[Any, Any]:
    """A random model in bfloat16, whose logits the batch changes visibly."""
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.bfloat16).eval()
    return model, load_tokenizer(tiny_llama)


def completions(
    model: Any, tokenizer: Any, prompts: list[tuple[str, str]], **asked: Any
) -> dict[Any, Completion]:
    found: dict[Any, Completion] = {}
    generation = Generation(**{"max_new_tokens": TOKENS, **asked})
    generate(
        model,
        tokenizer,
        prompts,
        generation,
        lambda one: found.update({(one.task_id, one.sample): one}),
    )
    return found


def texts(found: Mapping[Any, Completion]) -> dict[Any, tuple[str, int, str]]:
    return {key: (one.completion, one.tokens, one.ended) for key, one in found.items()}


@pytest.mark.parametrize(
    "asked", [{}, {"temperature": 0.8, "top_p": 0.95, "samples": 2, "seed": 3}]
)
def test_no_batch_changes_a_completion(
    tiny: tuple[Any, Any], prompts: list[tuple[str, str]], asked: dict[str, Any]
) -> None:
    """Batches of 1, 7 and 64 in bfloat16, greedy and sampled: the same texts; how often the batch
    was not asked is told.
    """
    found = [completions(*tiny, prompts, batch=batch, **asked) for batch in (1, 7, 64)]
    assert texts(found[0]) == texts(found[1]) == texts(found[2])
    assert sum(one.decided_alone for one in found[2].values()) > 0


def test_without_the_second_look_the_batch_would_change_some(
    tiny: tuple[Any, Any], prompts: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with a bound of nothing, batches of 1 and 64 differ in bfloat16."""
    monkeypatch.setattr(Bound, "value", 0.0)
    monkeypatch.setattr(Bound, "learn", lambda *_: None)
    asked: list[dict[str, Any]] = [{}, *({"temperature": 0.8, "seed": seed} for seed in range(8))]
    found = (
        [texts(completions(*tiny, prompts, batch=batch, **way)) for batch in (1, 64)]
        for way in asked
    )
    assert any(alone != together for alone, together in found)


def test_what_a_later_difference_refutes_is_made_again(
    tiny: tuple[Any, Any], prompts: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is measured beforehand, what is learnt on the way is enough: the texts are
    those of batch 1.
    """
    whole = texts(completions(*tiny, prompts, batch=1))
    monkeypatch.setattr(under_test._Batch, "_measure", lambda *_: None)
    given: list[Completion] = []
    generate(*tiny, prompts, Generation(max_new_tokens=TOKENS, batch=64), given.append)
    assert len(given) > len(prompts)
    assert texts({(one.task_id, one.sample): one for one in given}) == whole


def test_what_was_kept_is_made_again_where_it_is_refuted(
    tiny: tuple[Any, Any], prompts: list[tuple[str, str]]
) -> None:
    """A kept completion whose margin is below what another one knew of is not taken; one above it
    is.
    """
    found = completions(*tiny, prompts[:3], batch=8)
    wrong = {key: replace(one, completion="wrong", seen=0.0) for key, one in found.items()}
    one, other, knowing = wrong
    wrong[one] = replace(wrong[one], margin=0.1)
    wrong[other] = replace(wrong[other], margin=0.3)
    wrong[knowing] = replace(wrong[knowing], margin=None, seen=0.1)
    assert refuted(wrong)
    made: list[Completion] = []
    generate(*tiny, prompts[:3], Generation(max_new_tokens=TOKENS), made.append, wrong)
    assert [(one.task_id, one.sample) for one in made] == [one]
    assert texts({one: made[0]}) == texts({one: found[one]})


def test_greedy_is_that_of_transformers(tiny_llama: Path, prompts: list[tuple[str, str]]) -> None:
    """In float32, alone, without a cache of ours: transformers' own generate gives the same tokens."""
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(tiny_llama)
    found = completions(model, tokenizer, prompts[:4], batch=4)
    for task, text in prompts[:4]:
        ids = torch.tensor([tokenizer.encode(text.strip() + "\n")])
        made = model.generate(ids, max_new_tokens=TOKENS, do_sample=False)[0, ids.shape[1] :]
        assert cut(tokenizer.decode(made, skip_special_tokens=True)).startswith(
            found[task, 0].completion[:20]
        )


def test_samples_differ_by_sample_and_seed(
    tiny: tuple[Any, Any], prompts: list[tuple[str, str]]
) -> None:
    asked = {"temperature": 1.0, "samples": 2, "batch": 8}
    one, same, other = (completions(*tiny, prompts[:2], seed=seed, **asked) for seed in (0, 0, 1))
    assert texts(one) == texts(same) != texts(other)
    assert one["dozen/0", 0].completion != one["dozen/0", 1].completion


def test_batches_of_a_real_model_give_the_same_texts(prompts: list[tuple[str, str]]) -> None:
    """SmolLM2-135M, a dozen problems at batch 1, 7 and 64."""
    folder = cache_folder() / "models" / load_models()["smollm2-135m"].folder
    if not folder.is_dir():
        pytest.skip(f"{folder}: not fetched (repro fetch laptop)")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    found = [
        completions(model, load_tokenizer(folder), prompts, batch=batch) for batch in (64, 7, 1)
    ]
    assert texts(found[0]) == texts(found[1]) == texts(found[2])
