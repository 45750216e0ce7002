"""`repro score`: completions made elsewhere, scored in a closed sandbox."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from repro.cli.verbs import Verbs, own_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from repro.manifest.benchmark import Benchmark, Problem
    from repro.score.outcomes import Candidate, Scored
    from repro.score.summary import Summary

SANDBOXES = ("auto", "docker", "bubblewrap", "none")


def add(verbs: Verbs) -> None:
    """Register the verb."""
    score = verbs.add_parser(
        "score",
        help="score completions of a benchmark in a closed sandbox; exit 3 when any has no verdict",
    )
    score.add_argument(
        "samples",
        type=own_path,
        metavar="SAMPLES.jsonl",
        help="EvalPlus's format: task_id, completion or solution",
    )
    score.add_argument(
        "--benchmark", metavar="NAME", help="default: the one that the task_ids name"
    )
    sandbox_option(score)
    score.add_argument("--json", action="store_true", help="every sample's outcome, for a program")
    score.set_defaults(run=_score)


def sandbox_option(verb: argparse.ArgumentParser) -> None:
    """Add `--sandbox` to a verb: what confines code that a model wrote."""
    verb.add_argument(
        "--sandbox", choices=SANDBOXES, default="auto",
        help="auto: a container, else bubblewrap, else refused; none runs the code as you, for your own code alone",
    )  # fmt: skip


def _score(given: argparse.Namespace) -> int:
    """Score the samples; return 0 when every problem has a verdict, else 3. Raises ReproError."""
    from repro.execute.folders import cache_folder
    from repro.manifest.benchmark import load_benchmark, load_problems
    from repro.score.samples import benchmark_of, read_samples

    benchmark = load_benchmark(given.benchmark) if given.benchmark else benchmark_of(given.samples)
    problems = load_problems(benchmark, cache_folder())
    candidates = read_samples(given.samples, problems)
    scored, isolation = score_all(candidates, problems, given.sandbox, "score")
    return show(benchmark, scored, isolation, given.json)


def score_all(
    candidates: "Mapping[str, Sequence[Candidate]]",
    problems: "Mapping[str, Problem]",
    sandbox: Any,
    verb: str,
) -> "tuple[list[Scored], dict[str, Any]]":
    """Score candidates, with progress on standard error; return what the sandbox was, too.

    Raises SetupError.
    """
    from repro.execute.folders import cache_folder
    from repro.score.outcomes import score
    from repro.score.sandbox import choose

    chosen, done = choose(sandbox, cache_folder()), 0
    total = sum(map(len, candidates.values()))

    def tell(_: "Scored") -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(
                f"\rrepro {verb}: {done} of {total} scored in {chosen.kind}",
                end="\n" if done == total else "",
                file=sys.stderr,
            )

    scored, seen = score(candidates, problems, chosen, tell)
    return scored, {"sandbox": chosen.kind, **seen}


def show(
    benchmark: "Benchmark",
    scored: "Sequence[Scored]",
    isolation: "Mapping[str, Any]",
    as_json: bool,
) -> int:
    """Print the outcomes; return the exit code."""
    from repro.report.terminal.score import score_json, summary_lines

    summaries = summaries_of(benchmark, scored)
    if as_json:
        print(
            json.dumps(
                score_json(summaries, [(one.key, one) for one in scored], isolation),
                indent=1,
                ensure_ascii=False,
            )
        )
    else:
        for summary in summaries:
            print("\n".join(summary_lines(summary)))
        for one in scored:
            for name, outcome in zip(benchmark.names, (one.base, one.plus), strict=True):
                if outcome.result in ("flaky", "not_scored"):
                    print(
                        f"{one.task_id}, sample {one.key}, {name}: "
                        f"{outcome.result.replace('_', ' ')}: {outcome.reason}"
                    )
        print("sandbox: " + ", ".join(f"{name} {value}" for name, value in isolation.items()))
    return 0 if all(summary.whole for summary in summaries) else 3


def summaries_of(benchmark: "Benchmark", scored: "Sequence[Scored]") -> "list[Summary]":
    """Return the summaries of a benchmark's base inputs and of all."""
    from repro.score.summary import by_task, summarise

    return [
        summarise(
            name,
            benchmark.problems,
            by_task([(one.task_id, getattr(one, part).result) for one in scored]),
        )
        for name, part in zip(benchmark.names, ("base", "plus"), strict=True)
    ]
