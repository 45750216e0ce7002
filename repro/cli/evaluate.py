"""`repro evaluate --model DIR`: complete a benchmark's problems with a model and score them.

The code that is scored runs in a closed sandbox.
"""

import argparse
import sys

from repro.cli.score import sandbox_option, score_all, show
from repro.cli.verbs import Verbs, own_path


def add(verbs: Verbs) -> None:
    """Register the verb."""
    words = (
        "complete a benchmark's problems with a model of your own, and score them; resumed by "
        "problem"
    )
    verb = verbs.add_parser("evaluate", help=words, description=words)
    verb.add_argument(
        "--model",
        type=own_path,
        required=True,
        metavar="DIR",
        help="folder of safetensors with its tokenizer",
    )
    verb.add_argument(
        "--adapter",
        type=own_path,
        metavar="DIR",
        help="what was trained on it: a PEFT adapter, or all weights",
    )
    verb.add_argument(
        "--benchmark", required=True, metavar="NAME", help="a name of manifests/benchmarks.yaml"
    )
    verb.add_argument(
        "--samples",
        type=int,
        default=1,
        metavar="N",
        help="completions of each problem (default 1)",
    )
    verb.add_argument(
        "--temperature", type=float, default=0.0, metavar="T", help="0: greedy (default)"
    )
    verb.add_argument(
        "--top-p",
        type=float,
        default=1.0,
        metavar="P",
        help="share of probability that is drawn from",
    )
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="of sampling (default 0)")
    verb.add_argument(
        "--tokens", type=int, default=768, metavar="N", help="new tokens at most (default 768)"
    )
    sandbox_option(verb)
    verb.add_argument("--json", action="store_true", help="every sample's outcome, for a program")
    verb.set_defaults(run=_evaluate)


def _evaluate(given: argparse.Namespace) -> int:
    """Complete and score; return 0 when every problem has a verdict, else 3. Raises ReproError."""
    from repro.execute.complete import CompletionJob, complete_prompts
    from repro.execute.folders import cache_folder
    from repro.manifest.benchmark import load_benchmark, load_problems
    from repro.manifest.evaluation import Generation
    from repro.manifest.yaml import validate
    from repro.score.outcomes import Candidate
    from repro.score.sandbox import choose

    asked = {
        "samples": given.samples, "temperature": given.temperature, "top_p": given.top_p, "seed": given.seed,
        "max_new_tokens": given.tokens,
    }  # fmt: skip
    generation = validate(Generation, asked, "repro evaluate")
    benchmark = load_benchmark(given.benchmark)
    problems = load_problems(benchmark, cache_folder())
    choose(given.sandbox, cache_folder())  # before hours are spent on what could not be scored
    job = CompletionJob(given.model, given.adapter, None, generation, problems)
    destination = job.destination(cache_folder())
    completions = complete_prompts(job, destination, _say)
    _say(f"completions are in {destination}")
    candidates: dict[str, list[Candidate]] = {}
    for one in completions:
        code = problems[one["task_id"]].prompt + one["completion"]
        candidates.setdefault(one["task_id"], []).append(Candidate(one["sample"], code))
    alone, tokens = (sum(one[name] for one in completions) for name in ("decided_alone", "tokens"))
    _say(f"{alone} of {tokens} tokens were decided without their batch")
    scored, isolation = score_all(candidates, problems, given.sandbox, "evaluate")
    return show(benchmark, scored, isolation, given.json)


def _say(line: str) -> None:
    print(f"repro evaluate: {line}", file=sys.stderr, flush=True)
