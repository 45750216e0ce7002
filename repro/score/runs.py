"""Evaluate finished runs: a worker completes, the sandbox scores.

Completions and scores become the second part of the run's evidence. All runs of a manifest are
scored together, problem by problem, so that each problem's own solution runs only once. A run that
has its scores already is skipped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.cache import model_folder
from repro.errors import SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.scores import Sample, Scores, Verdict, file_name, read_scores, write_scores
from repro.execute.complete import CompletionJob, complete_prompts
from repro.execute.folders import RunPlace
from repro.files import write_bytes
from repro.manifest.benchmark import Benchmark, Problem, load_benchmark, load_problems
from repro.manifest.evaluation import Evaluation
from repro.plain import Say
from repro.score.outcomes import Candidate, Outcome, Scored, score
from repro.score.sandbox import Kind, choose


@dataclass(frozen=True, eq=False)
class Target:
    """One model of one run, on one benchmark."""

    folder: RunFolder
    run: Any
    """The run (`repro.plan.run.Run`)."""
    step: int
    benchmark: Benchmark

    @property
    def completions(self) -> str:
        """Return the file of its completions in the run's folder."""
        return f"completions/{file_name(self.benchmark.id, self.step)}.jsonl"

    @property
    def scores(self) -> str:
        """Return the file of its scores in the run's folder."""
        return f"scores/{file_name(self.benchmark.id, self.step)}.json"


def evaluate_runs(
    places: Sequence[RunPlace], evaluation: Evaluation, cache: Path, sandbox: Kind, say: Say
) -> list[str]:
    """Complete and score what is not scored yet.

    Returns a line for each thing that was left out: a missing file or sandbox, a run without
    its model, or scores of another way of generating.
    """
    left_out: list[str] = []
    for name in dict.fromkeys(load_benchmark(name).id for name in evaluation.benchmarks):
        benchmark = load_benchmark(name)
        targets = []
        for target in _targets(places, benchmark, evaluation):
            if not _done(target):
                targets.append(target)
            elif words := _asked_otherwise(target, evaluation):
                left_out.append(words)
        if not targets:
            continue
        try:
            problems, chosen = load_problems(benchmark, cache), choose(sandbox, cache)
            completed: dict[Target, list[dict[str, Any]]] = {}
            for target in targets:
                try:
                    completed[target] = _complete(target, problems, evaluation, cache, say)
                except SetupError as problem:  # The other runs have their models.
                    left_out.append(f"{target.run.slot}: {benchmark.id}: not run: {problem}")
            if not completed:
                continue
            say(
                f"scoring {len(completed)} × {len(problems)} problems of {benchmark.id} in "
                f"{chosen.kind}"
            )
            scored, seen = score(_candidates(completed, problems), problems, chosen)
            _write(completed, scored, evaluation, {"sandbox": chosen.kind, **seen})
        except SetupError as problem:
            left_out.append(f"{benchmark.id}: not run: {problem}")
    return left_out


def _targets(
    places: Sequence[RunPlace], benchmark: Benchmark, evaluation: Evaluation
) -> Iterator[Target]:
    """Yield the models to evaluate: finished runs at the wanted steps.

    A diverged run has no model of its last step.
    """
    for place in places:
        done = place.folder.done()
        if done is None or done.status != "done":
            continue
        steps = {"last": place.run.steps, "base": 0}
        for step in sorted({steps[name] for name in evaluation.steps}):
            yield Target(place.folder, place.run, step, benchmark)


def _done(target: Target) -> bool:
    """Return whether the run's marker lists these scores."""
    marker = target.folder.done()
    return marker is not None and target.scores in marker.files


def _asked_otherwise(target: Target, evaluation: Evaluation) -> str:
    """Return a line if the existing scores come from another way of generating.

    Empty where they do not.
    """
    was = read_scores(target.folder.path, target.scores).generation.way
    asked = evaluation.generation.way
    if was == asked:
        return ""
    differing = ", ".join(
        f"{name} {was[name]} instead of {asked[name]}" for name in asked if was[name] != asked[name]
    )
    return (
        f"{target.run.slot}: {target.benchmark.id}: its scores are those of {differing}, and "
        "stay; to score it again, "
        f"remove {target.scores} and done.second.json from {target.folder.path}"
    )


def _complete(
    target: Target, problems: Mapping[str, Problem], evaluation: Evaluation, cache: Path, say: Say
) -> list[dict[str, Any]]:
    """Complete the problems with the run's model at that step.

    Copy the completions to its folder when all are there.
    """
    run = target.run
    trained = target.folder.path / "adapter" if target.step else None
    model = model_folder(cache, run.model.folder)
    job = CompletionJob(model, trained, run.training, evaluation.generation, problems)
    completions = complete_prompts(
        job, job.destination(cache), lambda line: say(f"{run.slot}: {line}")
    )
    write_bytes(target.folder.path / target.completions, job.destination(cache).read_bytes())
    return completions


def _candidates(
    completed: Mapping[Target, Sequence[Mapping[str, Any]]], problems: Mapping[str, Problem]
) -> dict[str, list[Candidate]]:
    """Return the programs of all targets by task."""
    found: dict[str, list[Candidate]] = {task: [] for task in problems}
    for target, completions in completed.items():
        for one in completions:
            code = problems[one["task_id"]].prompt + one["completion"]
            found[one["task_id"]].append(Candidate((target, one["sample"]), code))
    return found


def _write(
    completed: Mapping[Target, Sequence[Mapping[str, Any]]],
    scored: Sequence[Scored],
    evaluation: Evaluation,
    isolation: dict[str, Any],
) -> None:
    """Write each target's scores and list them in its run's marker."""
    by_key = {(*one.key, one.task_id): one for one in scored}
    for target, completions in completed.items():
        found = [_sample(one, by_key[target, one["sample"], one["task_id"]]) for one in completions]
        marker = target.folder.done()
        assert marker is not None
        scores = Scores(
            run=target.run.id, step=target.step, benchmark=target.benchmark, generation=evaluation.generation,
            isolation=isolation, samples=tuple(found),
        )  # fmt: skip
        write_scores(target.folder.path, scores)
        target.folder.finish_second([*marker.later, target.completions, target.scores])


def _sample(completion: Mapping[str, Any], scored: Scored) -> Sample:
    """Return a completion with its outcomes, as the record holds it."""

    def verdict(outcome: Outcome) -> Verdict:
        return Verdict(outcome=outcome.result, reason=outcome.reason)

    fields = {
        name: completion[name] for name in ("task_id", "sample", "tokens", "ended", "decided_alone")
    }
    return Sample(**fields, base=verdict(scored.base), plus=verdict(scored.plus))
