"""Benchmarks of a manifest's runs for a reader: counts, intervals, flips against the base model."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch

from repro.evidence.folder import RunFolder
from repro.evidence.scores import PATTERN, Scores, read_scores
from repro.proportions import mcnemar, newcombe_paired, pair_outcomes, pooled_z, wald

_NAMED = 8  # flipped problems that are named


def evaluation_lines(runs: Mapping[str, tuple[str, RunFolder]]) -> Iterator[str]:
    """Yield lines for every run with scores; `runs`: each one's model and folder, by name.

    It is compared with its own model before training, where that was scored.
    """
    scores = [(name, model, one) for name, (model, folder) in runs.items() for one in _of(folder)]
    bases: dict[tuple[str, str], Scores] = {}
    for _, model, one in scores:
        if one.step == 0:
            bases.setdefault((model, one.benchmark.id), one)
    for name, model, one in scores:
        yield from _lines(name, one, bases.get((model, one.benchmark.id)) if one.step else None)


def _of(folder: RunFolder) -> Iterator[Scores]:
    marker = folder.done()
    for name in sorted(marker.files if marker else ()):
        if fnmatch(name, PATTERN):
            yield read_scores(folder.path, name)


def _lines(name: str, scores: Scores, reference: Scores | None) -> Iterator[str]:
    for at, row in enumerate(scores.evaluations()):
        share = (
            f"[{row['low']:.3f}, {row['high']:.3f}]" if row["low"] is not None else row["reason"]
        )
        unsure = "".join(
            f", {row[kind]} {kind.replace('_', ' ')}"
            for kind in ("flaky", "not_scored")
            if row[kind]
        )
        yield (
            f"{name} step {scores.step} {row['benchmark']}: {row['passed']}/{row['problems']} "
            f"{share}{unsure}"
        )
        if reference is not None and reference.generation.way != scores.generation.way:
            yield "  against the base model: its completions were made in another way"
        elif reference is not None:
            yield from _compared(_outcomes(reference, at), _outcomes(scores, at))


def _outcomes(scores: Scores, at: int) -> dict[str, bool]:
    """Return the certain outcomes by task, of the first sample."""
    verdicts = {
        one.task_id: (one.base, one.plus)[at].outcome for one in scores.samples if one.sample == 0
    }
    return {
        task: outcome == "passed"
        for task, outcome in verdicts.items()
        if outcome in ("passed", "failed")
    }


def _compared(first: Mapping[str, bool], second: Mapping[str, bool]) -> Iterator[str]:
    try:
        pairs = pair_outcomes(first, second)
    except ValueError as error:
        yield f"  against the base model: {error}"
        return
    interval, n = newcombe_paired(pairs), pairs.total
    one, two = pairs.both + pairs.only_first, pairs.both + pairs.only_second
    z, simple = pooled_z(one, n, two, n), wald(one, n, two, n)
    yield (
        f"  against the base model {pairs.difference:+.3f} [{interval.low:+.3f}, "
        f"{interval.high:+.3f}], McNemar p "
        f"{mcnemar(pairs):.3g} (mid-p {mcnemar(pairs, 'mid-p'):.3g}); as the papers: z "
        f"{'undefined' if z is None else f'{z:.2f}'}, Wald [{simple.low:+.3f}, {simple.high:+.3f}]"
    )
    yield f"  won {_named(pairs.won)} · lost {_named(pairs.lost)}"


def _named(tasks: Sequence[str]) -> str:
    shown = ", ".join(tasks[:_NAMED]) + (
        f" and {len(tasks) - _NAMED} more" if len(tasks) > _NAMED else ""
    )
    return f"{len(tasks)} ({shown})" if tasks else "0"
