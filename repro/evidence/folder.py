"""One run's folder, written file by file so that a crash at any moment leaves it whole.

run.json        the request, with the key and the newest seal of the claims (host)
probes.json     the probe texts (host)
csr_probes.json the probe texts of CSR, if they are others (host)
SET.probes.json the texts of each further set that checkpoints are measured on (host)
start/          what a continuing run starts from: its parent's adapter, the chain's anchor, and
                origin.json, which names the parent (host)
provenance.json what it ran on, attempt by attempt (worker)
host.json       what the host tells the worker for that record, and whether to measure block by
                block (host); not evidence
usage.json      time and memory it took (worker)
steps/          measurements of each checkpoint, Parquet (worker)
activations/    pooled activations at each measured step (worker)
state.safetensors          adapter and optimizer at the last checkpoint, to resume from (worker)
state.earlier.safetensors  the same one checkpoint before (worker)
adapter/        the trained adapter; for a diverged run, the last healthy one (worker, at the end)
walk.safetensors           hidden states after the last finished block of a model that is measured
                block by block, to resume from (worker)
progress.json, log.txt     for watching; not evidence
completions/    what the trained model wrote for benchmarks (worker, after the run)
scores/         how these were scored (host, after the run)
done.json       the marker, written last, with the digest of every file above that is evidence
done.second.json           its second part, for evidence made after the run; bound to the first
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from repro.errors import EvidenceError, first_line
from repro.evidence.marker import FIRST, INSIDE, SECOND, WEIGHTS, Marker, Status, part, read_marker
from repro.evidence.measurement import Measurement
from repro.evidence.reading import State, read_run_state
from repro.files import file_digest, write_bytes, write_json

STEPS = "steps/" + "[0-9]" * 6 + ".parquet"
"""The measurements of a checkpoint."""
EVIDENCE = (
    "run.json",
    "*probes.json",
    "provenance.json",
    "usage.json",
    STEPS,
    "activations/*.safetensors",
    "adapter/*",
    "start/*.json",
    "start/*/*",
)
LATER = ("completions/*.jsonl", "scores/*.json")
"""Evidence made after the run: completions of benchmarks and their scores."""
PASSING = (
    "state.safetensors",
    "state.earlier.safetensors",
    "state.measured.safetensors",
    "walk.safetensors",
    "progress.json",
    "progress.tmp",
    "job.json",
    "exit.json",
    "host.json",
)
"""Files of a run that only matter while it is running."""
OWN = (*PASSING, "log.txt", ".worker.lock", ".*.tmp", "*/.*.tmp", "*/*/.*.tmp")
"""Files that workers write and that are not evidence."""

Loading = Literal["whole", "block by block", "block by block, streamed"]
"""How a model is loaded, as host.json says under `loaded`."""
BY_BLOCK: Loading = "block by block"
"""The memory does not hold the model."""
BY_SHARD: Loading = "block by block, streamed"
"""The disk does not hold it either: its files come and go."""

SCHEMA = pa.schema(
    [
        ("step", pa.int32()),
        ("quantity", pa.string()),
        ("value", pa.float64()),
        ("reason", pa.string()),
        ("n", pa.int64()),
        ("specification", pa.string()),
        ("layer", pa.string()),
        ("direction", pa.int32()),
        ("concept", pa.string()),
        ("probe_set", pa.string()),
    ]
)


@dataclass(frozen=True)
class RunFolder:
    """The paths and atomic writes of one run."""

    path: Path

    @property
    def state(self) -> Path:
        """Return the path of the state from which training resumes."""
        return self.path / "state.safetensors"

    @property
    def earlier_state(self) -> Path:
        """Return the path of the state before that.

        It is known to be healthy once training has continued from it.
        """
        return self.path / "state.earlier.safetensors"

    @property
    def measured_state(self) -> Path:
        """Return the path of the last state whose activations were measured and healthy."""
        return self.path / "state.measured.safetensors"

    @property
    def states(self) -> tuple[Path, ...]:
        """Return the paths of every state kept while the run is running."""
        return self.state, self.earlier_state, self.measured_state

    @property
    def walk(self) -> Path:
        """Return the path of the hidden states after the last finished block.

        Only a model that is measured block by block has them.
        """
        return self.path / "walk.safetensors"

    @property
    def begun(self) -> bool:
        """Return whether there is something to resume from: a state, or a measurement."""
        return any(path.exists() for path in (self.state, self.walk)) or any(
            self.path.glob("steps/*.parquet")
        )

    @property
    def start(self) -> "RunFolder":
        """Return what a continuing run starts from, laid out as a run folder.

        It has the chain's step 0.
        """
        return RunFolder(self.path / "start")

    @property
    def log(self) -> Path:
        """Return the path of everything the worker printed."""
        return self.path / "log.txt"

    def open_log(self) -> BinaryIO:
        """Open the log to append to it.

        A link that a worker left there is not followed: it raises OSError.
        """
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(self.log, flags, 0o644), "ab")

    def measurements_file(self, step: int) -> Path:
        """Return the path of the measurements at the checkpoint of `step`."""
        return self.path / "steps" / f"{step:06d}.parquet"

    def append(self, step: int, measurements: Sequence[Measurement]) -> None:
        """Write the measurements of one checkpoint.

        Writing the same checkpoint again replaces it.
        """
        rows = [row.model_dump() for row in measurements]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), sink, compression="zstd")
        write_bytes(self.measurements_file(step), sink.getvalue().to_pybytes())

    def measurements(self, step: int) -> list[Measurement]:
        """Return the measurements of one checkpoint.

        Raises EvidenceError when the file cannot be read.
        """
        path = self.measurements_file(step)
        try:
            return [
                Measurement.model_validate(row)
                for row in pq.read_table(path, schema=SCHEMA).to_pylist()
            ]
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from error

    def finish(self, status: Status, reason: str | None = None) -> None:
        """Write the done marker: the digest of every piece of evidence, and how the run ended."""
        files = {str(path.relative_to(self.path)): file_digest(path) for path in self._evidence()}
        run = read_json(self.path / "run.json").get("id")
        weights = [name for name in files if WEIGHTS.search(name)]
        content = part(files, weights, run=run, status=status, reason=reason, finished=_now())
        write_json(self.path / FIRST, content)

    def finish_second(self, names: Sequence[str], weights: Sequence[str] = ()) -> None:
        """Write the marker's second part, bound to the first part by its digest.

        It lists files made after the run. It replaces an earlier second part. Raises
        EvidenceError when the run is not finished, or a file is listed in the first part.
        """
        first = self.done()
        if first is None:
            raise EvidenceError(
                f"{self.path}: not finished; a second part of its marker needs the first"
            )
        if twice := sorted({*names} & (first.files.keys() - first.later)):
            raise EvidenceError(
                f"{self.path / twice[0]}: is evidence of the run itself, and stays as it is"
            )
        files = {name: read_run_state(self.path, name).sha256 for name in sorted({*names})}
        content = part(files, sorted(weights), first=first.digests[FIRST], finished=_now())
        write_json(self.path / SECOND, content)

    def done(self) -> Marker | None:
        """Return the done marker, or None while the run is not finished.

        Raises EvidenceError when it cannot be read.
        """
        return read_marker(self.path)

    def check(self, without_weights: bool = False) -> dict[str, State | None]:
        """Compare every file with the done marker.

        Return the state of each, None for absent weights. Raises EvidenceError naming the
        first that differs. `without_weights`: absent weights are not an error.
        """
        marker = self.done()
        if marker is None:
            raise EvidenceError(f"{self.path}: not finished; run it again to go on")
        return {name: self._checked(name, marker, without_weights) for name in marker.files}

    def _checked(self, name: str, marker: Marker, without_weights: bool) -> State | None:
        """Return a file's state; None for weights that are absent and may be.

        Raises EvidenceError.
        """
        path = self.path / name
        if without_weights and marker.is_weights(name) and not os.path.lexists(path):
            return None
        found = read_run_state(self.path, name)
        refuse_changed(path, found.sha256, marker.files[name])
        return found

    def sweep(self) -> None:
        """Remove files that a killed worker was writing."""
        for path in self.path.rglob(".*.tmp"):
            path.unlink(missing_ok=True)

    def _evidence(self) -> Iterable[Path]:
        """Return every file of the run that is evidence.

        Foreign files (links, `._` files, copies) are not.
        """
        found = sorted(path for pattern in EVIDENCE for path in self.path.glob(pattern))
        plain = (path for path in found if path.is_file() and not path.is_symlink())
        return [path for path in plain if INSIDE.fullmatch(str(path.relative_to(self.path)))]


def may_be_evidence(name: str) -> bool:
    """Return whether a path in a run's folder is one of evidence."""
    return any(_fits(name, pattern) for pattern in (*EVIDENCE, *LATER))


def is_written(name: str) -> bool:
    """Return whether a path in a run's folder is one that repro writes, evidence or not."""
    return name in (FIRST, SECOND) or any(
        _fits(name, pattern) for pattern in (*EVIDENCE, *LATER, *OWN)
    )


def _fits(name: str, pattern: str) -> bool:
    """Return whether a path matches a pattern. A `*` stays within one folder."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def refuse_changed(path: Path, found: str, expected: str) -> None:
    """Raise EvidenceError for a file that is not what the run's marker says."""
    if found != expected:
        raise EvidenceError(
            f"{path}: found {found[:12]}, expected sha256 {expected[:12]} as recorded when "
            "the run ended; "
            "the file was changed or truncated: restore it, or run again with --repair"
        )


def _now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_json(path: Path) -> Any:
    """Return the content of an evidence file. Raises EvidenceError when it is not complete JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> EvidenceError:
    """Return the error for an evidence file that is missing, truncated or of another kind."""
    problem = first_line(error)
    return EvidenceError(
        f"{path}: cannot be read ({problem}); remove that run's folder and run again"
    )
