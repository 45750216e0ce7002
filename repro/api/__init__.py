"""The door for other programs: what the commands do, as functions; docs/python.md shows each.

Tables are `pyarrow.Table`s, which pandas, polars and DuckDB take as they are. Nothing here loads
torch. Bad input raises `repro.errors.ReproError`, whose text is the line that a command would say.
A results folder is a path; None means REPRO_RESULTS, else results/ of the working folder.

N probes, D activation width, K concepts, R directions.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from repro.api.judging import JudgedClaims
    from repro.audit import Check
    from repro.measure.record import MeasureRecord

__all__ = [
    "audit_paper",
    "judge",
    "measure_activations",
    "measurements",
    "runs",
    "trajectories",
    "verdicts",
]
FolderPath: TypeAlias = str | os.PathLike[str]


def runs(results: FolderPath | None = None) -> "pa.Table":
    """Return a row for each manifest and run it asks for, the columns of `runs` in docs/sql.md.

    `run_id` is the run's name (12 hex digits), `seed` null where nothing is trained, `steps`
    optimizer steps, `started` and `finished` UTC. `key` is JSON: all that the name is made of.
    Raises EvidenceError where there is no store, or it was edited.
    """
    from repro.api.tables import ALL_RUNS, store_table

    return store_table(results, ALL_RUNS)


def measurements(results: FolderPath | None = None) -> "pa.Table":
    """Return a row for each measured number: run_id, step, quantity, specification, layer,
    direction, concept, value, reason, n, probe_set.

    `value` has the unit of its quantity (docs/SCIENCE.md): EI, purities, accuracies, damages and
    margins are pure numbers, losses nat per token, entropies nat. It is null exactly where `reason`
    says why it is undefined. `direction` counts from 0; `n` is the number of probes. Raises
    EvidenceError as `runs` does.
    """
    from repro.api.tables import ALL_MEASUREMENTS, store_table

    return store_table(results, ALL_MEASUREMENTS)


def trajectories(results: FolderPath | None = None) -> "pa.Table":
    """Return a row for each run, measured step and probe set, with the quantities asked for first.

    Columns: experiment, model, condition, seed, step, probe_set, `ei` and `ei_anchored` (pure
    numbers; null: undefined), `rms` (of the activations, their own unit), `v_purity`, `rank`,
    `sigma_1`, `margin`, `accuracy_*` (0 to 1), `loss_*` (nat per token), status, run_id. Raises
    EvidenceError as `runs` does.
    """
    from repro.api.tables import ALL_TRAJECTORIES, store_table

    return store_table(results, ALL_TRAJECTORIES)


def verdicts(
    results: FolderPath | None = None, name: str | None = None, papers: FolderPath | None = None
) -> "pa.Table":
    """Return a row for each claim, judged now: what `repro verify [NAME] --json` says of it.

    `value` (printed), `estimate` (measured), `low` and `high` (95 % interval) have the claim's own
    unit, a truth is 1 or 0, and they are null where it is a text, a list, or was not measured. `n`
    is the number of runs; p values are between 0 and 1. The papers' claims alone where there is no
    store: all that runs would tell is `not_run`. Raises ReproError as `judge` does.
    """
    from repro.api.tables import verdict_table

    return verdict_table(judge(name, results, papers).verdicts)


def judge(
    name: str | None = None, results: FolderPath | None = None, papers: FolderPath | None = None
) -> "JudgedClaims":
    """Judge the claims of a manifest or paper, or all of them, as `repro verify` does.

    `name` is a manifest's name or file, a paper's id or folder; `papers` a folder of further
    papers. The answer has `verdicts` in the papers' order, `counts` by basis and outcome, and
    `code`: 1 contradicted, 3 something not run, 0 neither. Nothing is written. Raises ReproError
    for an unknown name, and for evidence that is not what its folders say.
    """
    from repro.api.judging import judge_asked

    return judge_asked(name, _path(results), _path(papers))


def audit_paper(folder: FolderPath) -> "tuple[Check, ...]":
    """Return every check of a paper's printed numbers against its other prints, as `repro audit`.

    `folder` is a paper's folder, one that holds papers, or a known paper's id. A check has the
    claims it compares, the printed and the recomputed value, a verdict and a severity. Raises
    ManifestError for an unknown paper or an unreadable file.
    """
    from repro.api.auditing import audit_papers

    return audit_papers(os.fspath(folder)).checks


def measure_activations(
    X: "npt.ArrayLike", labels: Mapping[str, Sequence[object]], quick: bool = False
) -> "MeasureRecord":
    """Measure activations X (N × D, any unit) as `repro measure --json` does; return its record.

    `labels` has one column of N class names for each of K concepts. `quick` leaves out interval,
    nulls, scale sweep and specifications, which take most of the time. Raises InputError for what
    cannot be measured: not finite, a constant feature, a class with one probe.
    """
    from repro.measure import measure, record, usable_activations, usable_labels

    matrix = usable_activations(X)
    return record(measure(matrix, usable_labels(labels, len(matrix)), quick=quick))


def _path(given: FolderPath | None) -> Path | None:
    return None if given is None else Path(given)
