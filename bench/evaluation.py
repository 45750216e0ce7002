"""Compare scoring and generation with EvalPlus's own, on the same problems in the same call.

evalplus is not a dependency of ours: REPRO_EVALPLUS names a Python that has it (for generation with
torch and transformers too), and EvalPlus's file must be under benchmarks/ of the cache or be named
in HUMANEVAL_OVERRIDE_PATH.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from bench.table import Row, missing, row
from bench.training import MODEL, model_folder
from repro.errors import SetupError, first_line
from repro.evaluate.generate import Completion, generate
from repro.execute.folders import cache_folder
from repro.manifest.benchmark import benchmark_file, load_benchmark, load_problems
from repro.manifest.evaluation import Generation
from repro.score.outcomes import Candidate, score
from repro.score.sandbox import choose
from repro.train.model import load_tokenizer

PEER = "REPRO_EVALPLUS"
LIMIT_SECONDS = 400
PROBLEMS, TOKENS = 16, 64
SCORING = "scoring 164 own solutions in the sandbox against EvalPlus's time without one"
GENERATION = (
    f"generation against EvalPlus's hf backend ({MODEL}, {PROBLEMS} problems, {TOKENS} new tokens)"
)
THEIRS = """
import json, sys, gzip, time
from evalplus.eval import untrusted_check
from evalplus.gen.util import trusted_exec
path = sys.argv[1]
problems = [json.loads(line) for line in (gzip.open(path, "rt") if path.endswith(".gz") else open(path))]
begin = time.time()
for p in problems:
    code = p["prompt"] + p["canonical_solution"]
    for part in ("base_input", "plus_input"):
        expected, times = trusted_exec(code, p[part], p["entry_point"], record_time=True)
        untrusted_check("humaneval", code, p[part], p["entry_point"], expected, p["atol"], times, True)
print(time.time() - begin)
"""
GENERATING = """
import json, sys, time
from evalplus.provider.hf import HuggingFaceDecoder
model, prompts, tokens = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
decoder = HuggingFaceDecoder(
    model, "humaneval", force_base_prompt=True, batch_size=1, temperature=0, max_new_tokens=tokens, dtype=sys.argv[4],
)
count, inner = 0, decoder.model.generate
def counting(given, **options):
    global count
    found = inner(given, **options)
    count += found.size(-1) - given.size(-1)
    return found
decoder.model.generate = counting
def complete(prompts):
    for p in prompts:
        decoder.codegen(p.strip() + "\\n", do_sample=False, num_samples=1)
        # Else every problem adds its stop criterion to those of all problems before.
        decoder.model.__dict__.pop("_get_stopping_criteria")
complete(prompts[:1])
count, begin = 0, time.time()
complete(prompts)
print(count / (time.time() - begin))
"""
DTYPES = ("bfloat16", "float32")
"""EvalPlus's own type, and ours."""


def rows() -> list[Row]:
    """Return the rows of the speed table about benchmarks of code."""
    try:
        file = benchmark_file(load_benchmark("humaneval_plus"), cache_folder())
    except SetupError as error:
        return [missing(name, str(error)) for name in (SCORING, GENERATION)]
    return [*_scoring(file), _generation()]


def _scoring(file: Path) -> Iterator[Row]:
    """Yield the time of scoring against EvalPlus's, and the number of own solutions that pass."""
    idle, passed = _ours()
    try:
        theirs = _peer(THEIRS, str(file))
        note = (
            f"{idle:.0f} s against {theirs:.0f} s on one core; this used all; "
            f"load {os.getloadavg()[0]:.1f}"
        )
        yield row(SCORING, idle / theirs, "×", 1.5, at_most=True, note=note)
    except SetupError as error:
        yield missing(SCORING, str(error))
    yield row("own solutions that pass HumanEval+, idle", passed, "of 164", 164)
    with _both_cores_busy():
        _, passed = _ours()
    yield row("own solutions that pass HumanEval+, every core busy", passed, "of 164", 164)


def _ours() -> tuple[float, int]:
    """Score the benchmark's own solutions. Return (seconds, number that pass)."""
    problems = load_problems(load_benchmark("humaneval_plus"), cache_folder())
    candidates = {
        task: [Candidate(0, one.prompt + one.canonical_solution)] for task, one in problems.items()
    }
    sandbox, begin = choose("auto", cache_folder()), time.monotonic()
    scored, _ = score(candidates, problems, sandbox)
    return time.monotonic() - begin, sum(one.plus.result == "passed" for one in scored)


@contextmanager
def _both_cores_busy() -> Iterator[None]:
    """Keep every core busy while the block runs."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _peer(script: str, *arguments: str) -> float:
    """Return the number that a script prints with the peer's Python.

    Raises SetupError where there is none, or it does not end in time.
    """
    python = os.environ.get(PEER)
    if python is None:
        raise SetupError(f"{PEER} names no Python that has evalplus (and torch, transformers)")
    command = [python, "-c", script, *arguments]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS, check=True
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"EvalPlus had not finished after {LIMIT_SECONDS} s") from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"{PEER}: {first_line(error)}") from None
    return float(done.stdout.split()[-1])


def _generation() -> Row:
    """Compare the speed of generation with the faster of EvalPlus's two types."""
    problems = list(load_problems(load_benchmark("humaneval_plus"), cache_folder()).values())
    prompts = [(one.task_id, one.prompt) for one in problems[:PROBLEMS]]
    folder, texts = model_folder(), json.dumps([prompt for _, prompt in prompts])
    try:
        theirs = {
            dtype: _peer(GENERATING, str(folder), texts, str(TOKENS), dtype) for dtype in DTYPES
        }
    except SetupError as error:
        return missing(GENERATION, str(error))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer, way = load_tokenizer(folder), Generation(max_new_tokens=TOKENS)
    done: list[Completion] = []
    generate(model, tokenizer, prompts[:1], way, lambda _: None)  # the first pass builds kernels
    begin = time.monotonic()
    generate(model, tokenizer, prompts, way, done.append)
    ours = sum(one.tokens for one in done) / (time.monotonic() - begin)
    told = " and ".join(f"{speed:.1f} ({dtype})" for dtype, speed in theirs.items())
    note = f"{ours:.1f} against {told} tokens/s; load {os.getloadavg()[0]:.1f}"
    return row(GENERATION, ours / max(theirs.values()), "×", 6, note=note)
