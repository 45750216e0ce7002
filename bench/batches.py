"""Complete all problems at several batch sizes, compare the texts, and keep them for `repro score`.

`python -m bench.batches MODEL TOKENS BATCH …`: a fetched model of manifests/models.yaml, in
float32, greedy. It goes on where it was ended; build/batches/ keeps one file for each batch size.
"""

import sys
import time
from pathlib import Path
from typing import Any

from repro.errors import ReproError
from repro.execute.complete import CompletionJob, complete_prompts
from repro.execute.folders import cache_folder
from repro.manifest.benchmark import load_benchmark, load_problems
from repro.manifest.evaluation import Generation
from repro.manifest.load import load_models

FOLDER = Path(__file__).resolve().parents[1] / "build" / "batches"
SAME = ("completion", "tokens", "ended")
"""What no batch may change of a completion."""


def main() -> int:
    """Return 0 where all batch sizes give the same completions, 1 where not, 2 for bad input."""
    try:
        model, tokens, *batches = sys.argv[1:]
        folder = cache_folder() / "models" / load_models()[model].folder
        ways = [Generation(max_new_tokens=int(tokens), batch=int(batch)) for batch in batches]
        problems = load_problems(load_benchmark("humaneval_plus"), cache_folder())
    except (ValueError, KeyError, ReproError) as error:
        print(
            f"bench: {error}; usage: python -m bench.batches MODEL TOKENS BATCH …", file=sys.stderr
        )
        return 2
    found = []
    print(
        "| batch | completions | tokens | decided alone | largest difference | seconds | differing |"
    )
    print("|---|---|---|---|---|---|---|")
    for way in ways:
        path, begin = FOLDER / f"{model}.{tokens}.batch{way.batch}.jsonl", time.monotonic()
        job = CompletionJob(folder, None, None, way, problems)
        found.append(complete_prompts(job, path, lambda line: print(line, file=sys.stderr)))
        print(_row(way.batch, found[-1], found[0], time.monotonic() - begin), flush=True)
    return int(any(_differing(found[0], other) for other in found))


def _row(batch: int, made: list[dict[str, Any]], first: list[dict[str, Any]], took: float) -> str:
    """Return the row of one batch size."""
    tokens, alone = (sum(one[name] for one in made) for name in ("tokens", "decided_alone"))
    seen = max(one["seen"] for one in made)
    differing = _differing(first, made)
    return (
        f"| {batch} | {len(made)} | {tokens:,} | {alone} | {seen:.1e} | {took:.0f} | {differing} |"
    )


def _differing(first: list[dict[str, Any]], other: list[dict[str, Any]]) -> int:
    """Return how many completions are not the first batch size's."""
    pairs = zip(first, other, strict=True)
    return sum(any(one[name] != two[name] for name in SAME) for one, two in pairs)


if __name__ == "__main__":
    sys.exit(main())
