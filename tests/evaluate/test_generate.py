"""A completion is that of its problem alone, whatever is generated beside it, killed or sampled."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from bitsandbytes.nn import Linear4bit
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

import repro.evaluate.generate as under_test
from repro.evaluate.decide import Bound, draw
from repro.evaluate.generate import Completion, generate, refuted
from repro.evaluate.job import read_completions
from repro.evaluate.stops import STOPS, cut, stops
from repro.evaluate.weights import bring_back
from repro.execute.complete import CompletionJob, complete_prompts
from repro.execute.folders import cache_folder
from repro.manifest.benchmark import Problem, load_benchmark, load_problems
from repro.manifest.evaluation import Generation
from repro.manifest.load import load_experiment, load_models
from repro.train.model import load_base, load_tokenizer

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


def test_weights_that_are_brought_back_once_give_the_texts_of_those_in_4_bits(
    tiny_llama: Path, prompts: list[tuple[str, str]]
) -> None:
    """The same completions, from layers that are not 4-bit any more; other weights give others."""
    training = load_experiment("smoke").training
    found = []
    for _ in range(2):
        model = load_base(tiny_llama, training)
        if found:
            bring_back(model)
        assert any(isinstance(layer, Linear4bit) for layer in model.modules()) is not bool(found)
        found.append(texts(completions(model, load_tokenizer(tiny_llama), prompts[:4])))
    assert found[0] == found[1]
    model.get_output_embeddings().weight.data.neg_()  # type: ignore[union-attr,operator]
    assert texts(completions(model, load_tokenizer(tiny_llama), prompts[:4])) != found[0]


def test_samples_differ_by_sample_and_seed(
    tiny: tuple[Any, Any], prompts: list[tuple[str, str]]
) -> None:
    asked = {"temperature": 1.0, "samples": 2, "batch": 8}
    one, same, other = (completions(*tiny, prompts[:2], seed=seed, **asked) for seed in (0, 0, 1))
    assert texts(one) == texts(same) != texts(other)
    assert one["dozen/0", 0].completion != one["dozen/0", 1].completion


def test_a_draw_is_from_the_distribution() -> None:
    """Shares laid end to end by id give the softmax; top-p leaves out the tail; near an end the
    draw does not stand.
    """
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2]))
    generation = Generation(temperature=1.0)
    assert [draw(logits, generation, share)[0] for share in (0.1, 0.6, 0.9)] == [0, 1, 2]
    assert draw(logits, generation, 0.6)[1] > 1e-3
    assert draw(logits, generation, 0.5 + 1e-9)[1] < 1e-8
    nucleus = Generation(temperature=1.0, top_p=0.75)
    assert {draw(logits, nucleus, share / 20)[0] for share in range(20)} == {0, 1}


@given(
    st.lists(st.floats(-4, 4), min_size=3, max_size=3),
    st.floats(0.001, 0.999),
    st.sampled_from([0.6, 1.0]),
    st.data(),
)
def test_a_draw_stands_within_its_margin(
    logits: list[float], share: float, top_p: float, data: st.DataObject
) -> None:
    """Logits moved by just less than the margin, each its own way, give the same token."""
    generation = Generation(temperature=0.7, top_p=top_p)
    token, margin = draw(torch.tensor(logits, dtype=torch.float64), generation, share)
    moves = data.draw(st.lists(st.floats(-0.999, 0.999), min_size=3, max_size=3))
    moved = torch.tensor(logits, dtype=torch.float64) + margin * torch.tensor(
        moves, dtype=torch.float64
    )
    assert draw(moved, generation, share)[0] == token


@pytest.mark.parametrize("stop", STOPS)
def test_every_stop_sequence_ends_a_completion(stop: str) -> None:
    assert stops(f"    return 1{stop}x")
    assert cut(f"\treturn 1{stop}x") == "    return 1"
    assert cut("    return 1\n") == "    return 1\n"


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of one thread: on a busy machine threads that share tiny products wait for each
    other.
    """
    monkeypatch.setattr(os, "cpu_count", lambda: 1)


@pytest.mark.usefixtures("one_thread")
def test_a_torn_file_is_gone_on_with(
    dozen: Mapping[str, Problem], tiny_llama: Path, tmp_path: Path
) -> None:
    """Half a file with a torn line: what is whole is kept, the rest is made, and the file is that
    of one call.
    """
    generation = Generation(max_new_tokens=8)
    job = CompletionJob(tiny_llama, None, None, generation, dict(list(dozen.items())[:4]))
    whole = complete_prompts(job, tmp_path / "whole.jsonl", print)
    lines = (tmp_path / "whole.jsonl").read_text().splitlines()
    marked = json.dumps({**json.loads(lines[1]), "completion": "kept"})
    (tmp_path / "half.jsonl").write_text(f"{marked}\n{lines[0][:30]}")
    found = complete_prompts(job, tmp_path / "half.jsonl", print)
    assert found[1] == json.loads(marked)
    assert list(map(told, found[:1] + found[2:])) == list(map(told, whole[:1] + whole[2:]))
    assert len(read_completions(tmp_path / "half.jsonl")) == 4


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085", "\x0c", "\r", "\x1e"])
def test_a_sign_that_elsewhere_ends_a_line_stays_inside_a_completion(
    dozen: Mapping[str, Problem], tiny_llama: Path, tmp_path: Path, sign: str
) -> None:
    """Models write any sign of their vocabulary, and JSON leaves some of these as they are."""
    task = next(iter(dozen))
    job = CompletionJob(tiny_llama, None, None, Generation(max_new_tokens=8), {task: dozen[task]})
    wrote = Completion(task, 0, f"    return '{sign}'\n", 8, "length", 0, None, 0.0)
    path = tmp_path / "kept.jsonl"
    path.write_text(json.dumps(asdict(wrote), ensure_ascii=False) + "\n", encoding="utf-8")
    assert complete_prompts(job, path, print) == [asdict(wrote)]
    assert read_completions(path) == {(task, 0): wrote}


def told(completion: Mapping[str, Any]) -> tuple[Any, ...]:
    """What no batch and no kill changes of a completion."""
    return tuple(
        completion[name] for name in ("task_id", "sample", "completion", "tokens", "ended")
    )


HOST = """
import os
import sys
from pathlib import Path
os.cpu_count = lambda: 1
from repro.execute.complete import CompletionJob, complete_prompts
from repro.manifest.benchmark import load_benchmark, load_problems
from repro.manifest.evaluation import Generation
problems = load_problems(load_benchmark("dozen"), Path("/nowhere"))
job = CompletionJob(Path(sys.argv[1]), None, None, Generation.model_validate_json(sys.argv[2]), problems)
complete_prompts(job, Path(sys.argv[3]), print)
"""


@pytest.mark.usefixtures("one_thread")
def test_a_killed_generation_loses_only_what_had_not_ended(
    dozen: Mapping[str, Problem], tiny_llama: Path, tmp_path: Path
) -> None:
    """The host is killed while the only batch is under way, and its worker ends too. What had ended
    is kept, and the texts are those of one call.
    """
    generation = Generation(max_new_tokens=120, samples=2, temperature=1.0)
    job = CompletionJob(tiny_llama, None, None, generation, dozen)
    total = len(dozen) * generation.samples
    assert total <= generation.batch
    whole = complete_prompts(job, tmp_path / "whole.jsonl", print)
    killed = tmp_path / "killed.jsonl"
    command = [
        sys.executable,
        "-c",
        HOST,
        str(tiny_llama),
        generation.model_dump_json(),
        str(killed),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as host:
        while host.poll() is None and not lines_of(killed):
            time.sleep(0.002)
        workers = psutil.Process(host.pid).children()
        host.kill()
    assert len(workers) == 1
    assert psutil.wait_procs(workers, 30)[1] == []
    kept = read_completions(killed)
    assert 0 < len(kept) < total
    found = complete_prompts(job, killed, print)
    assert list(map(told, found)) == list(map(told, whole))
    by_key = {(one["task_id"], one["sample"]): one for one in found}
    assert {key: asdict(one) for key, one in kept.items()}.items() <= by_key.items()


def lines_of(path: Path) -> int:
    """Whole lines of a file."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


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
