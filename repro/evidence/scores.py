"""Scores of a run's completions, as they lie in its folder: made after the run, sealed by the
marker's second part.

completions/BENCHMARK.STEP.jsonl   what the model wrote (worker)
scores/BENCHMARK.STEP.json         what became of it in the sandbox (host)
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from repro.errors import EvidenceError
from repro.evidence.reading import read_content
from repro.files import write_json
from repro.frozen import Frozen
from repro.manifest.benchmark import Benchmark
from repro.manifest.evaluation import Generation
from repro.manifest.explain import explain
from repro.proportions import wilson

PATTERN = "scores/*." + "[0-9]" * 6 + ".json"
_Result = Literal["passed", "failed", "flaky", "not_scored"]


class Verdict(Frozen):
    """The outcome of a completion on one benchmark."""

    outcome: _Result
    reason: str = ""


class Sample(Frozen):
    """One completion and its verdicts."""

    task_id: str
    sample: int = Field(ge=0)
    tokens: int = Field(ge=0)
    ended: str
    decided_alone: int = Field(ge=0)
    base: Verdict
    plus: Verdict


class Scores(Frozen):
    """One file of scores."""

    format: Literal[1] = 1
    run: str
    step: int = Field(ge=0)
    benchmark: Benchmark
    generation: Generation
    isolation: dict[str, Any]
    """The sandbox, and its facts as seen from inside."""
    samples: tuple[Sample, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each completion and benchmark."""
        return [
            {
                "run_id": self.run, "step": self.step, "benchmark": name, "task_id": one.task_id, "sample": one.sample,
                "outcome": verdict.outcome, "reason": verdict.reason or None, "tokens": one.tokens, "ended": one.ended,
                "decided_alone": one.decided_alone,
            }
            for one in self.samples
            for name, verdict in zip(self.benchmark.names, (one.base, one.plus), strict=True)
        ]  # fmt: skip

    def evaluations(self) -> list[dict[str, Any]]:
        """Return one row for each benchmark: counts, and a share.

        There is a share where every problem has a certain verdict.
        """
        found = []
        for name in self.benchmark.names:
            results = [row["outcome"] for row in self.rows() if row["benchmark"] == name]
            counts = {
                result: results.count(result)
                for result in ("passed", "failed", "flaky", "not_scored")
            }
            reason = self._uncertain(counts)
            interval = None if reason else wilson(counts["passed"], self.benchmark.problems)
            found.append(
                {
                    "run_id": self.run, "step": self.step, "benchmark": name, "problems": self.benchmark.problems, **counts,
                    "score": None if interval is None else counts["passed"] / self.benchmark.problems,
                    "low": interval.low if interval else None, "high": interval.high if interval else None,
                    "reason": reason, "sandbox": str(self.isolation.get("sandbox")),
                    "tokens": sum(one.tokens for one in self.samples),
                    "decided_alone": sum(one.decided_alone for one in self.samples),
                    "file": self.benchmark.sha256,
                }
            )  # fmt: skip
        return found

    def _uncertain(self, counts: dict[str, int]) -> str | None:
        """Return why there is no share; None where there is one."""
        for result in ("not_scored", "flaky"):
            if counts[result]:
                return (
                    f"{counts[result]} of {len(self.samples)} completions are "
                    f"{result.replace('_', ' ')}"
                )
        if self.generation.samples != 1:
            return "several completions of each problem: see samples"
        absent = self.benchmark.problems - len(self.samples)
        return (
            f"{absent} of {self.benchmark.problems} problems have no completion" if absent else None
        )


def file_name(benchmark: str, step: int) -> str:
    """Return the name of a file of scores or completions, without its suffix."""
    return f"{benchmark}.{step:06d}"


def write_scores(folder: Path, scores: Scores) -> str:
    """Write a file of scores, and return its path in the run's folder."""
    name = f"scores/{file_name(scores.benchmark.id, scores.step)}.json"
    write_json(folder / name, scores.model_dump(mode="json"))
    return name


def read_scores(folder: Path, name: str) -> Scores:
    """Read a file of scores. Raises EvidenceError when it does not hold scores of this version."""
    data, _ = read_content(folder, name)
    try:
        return Scores.model_validate_json(data)
    except ValidationError as error:
        raise EvidenceError(
            f"{folder / name}: no scores of this version ({explain(error, Scores)}); restore "
            "the file, or remove it and "
            "done.second.json and score again"
        ) from None
