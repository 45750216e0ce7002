"""One run's folder, written file by file so that a crash at any moment leaves it whole.

run.json        what was asked, with the key and the judging rules frozen before the run (host)
probes.json     the probe texts, by content hash (host); csr_probes.json those of CSR where they are others
SET.probes.json the texts of each further set that checkpoints are measured on (host)
start/          what a run that continues another starts from: its adapter, the chain's anchor, whose it is (host)
provenance.json what it ran on, attempt by attempt (worker); host.json what the host tells the worker for it, not evidence
usage.json      time and memory it took (worker)
steps/          measurements of each checkpoint, Parquet (worker)
activations/    pooled activations at each measured step (worker)
state.safetensors   adapter and optimizer at the last checkpoint: where a killed run goes on; state.earlier… before it (worker)
adapter/        the trained adapter; of a diverged run, the last healthy one (worker, at the end)
progress.json, log.txt   for whoever watches; not evidence
done.json       the marker, written last, with the digest of every file above that is evidence
done.second.json   its second part, for evidence that is made after the run (scores); sealed like the first
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from repro.errors import EvidenceError
from repro.evidence.marker import FIRST, INSIDE, SECOND, WEIGHTS, Marker, Status, part, read_marker
from repro.evidence.reading import State, read_state
from repro.files import file_digest, write_bytes, write_json
from repro.measurement import Measurement

EVIDENCE = (
    "run.json",
    "*probes.json",
    "provenance.json",
    "usage.json",
    "steps/" + "[0-9]" * 6 + ".parquet",
    "activations/*.safetensors",
    "adapter/*",
    "start/*.json",
    "start/*/*",
)
PASSING = (
    "state.safetensors",
    "state.earlier.safetensors",
    "state.measured.safetensors",
    "progress.json",
    "progress.tmp",
    "job.json",
    "exit.json",
    "host.json",
)
"""Files of a run that only matter while it is under way."""
OWN = (*PASSING, "log.txt", ".worker.lock", ".*.tmp", "*/.*.tmp", "*/*/.*.tmp")
"""What workers write that is no evidence."""

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
    """Paths and atomic writes of one run."""

    path: Path

    @property
    def state(self) -> Path:
        """Where training goes on from."""
        return self.path / "state.safetensors"

    @property
    def earlier_state(self) -> Path:
        """The state before that one: known to be healthy once training has gone on from it."""
        return self.path / "state.earlier.safetensors"

    @property
    def measured_state(self) -> Path:
        """The state of the last step whose activations were measured and healthy."""
        return self.path / "state.measured.safetensors"

    @property
    def states(self) -> tuple[Path, ...]:
        """Every state that may be kept while the run is under way."""
        return self.state, self.earlier_state, self.measured_state

    @property
    def start(self) -> "RunFolder":
        """What a run that continues another starts from: laid out as a run folder, with the chain's step 0."""
        return RunFolder(self.path / "start")

    @property
    def log(self) -> Path:
        """Everything the worker printed."""
        return self.path / "log.txt"

    def open_log(self) -> BinaryIO:
        """The log, to write at its end. A link that a worker left there is not followed: OSError."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(self.log, flags, 0o644), "ab")

    def measurements_file(self, step: int) -> Path:
        """Measurements made at the checkpoint of `step`."""
        return self.path / "steps" / f"{step:06d}.parquet"

    def append(self, step: int, measurements: Sequence[Measurement]) -> None:
        """Write the measurements of one checkpoint; writing the same checkpoint again replaces it."""
        rows = [row.model_dump() for row in measurements]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), sink, compression="zstd")
        write_bytes(self.measurements_file(step), sink.getvalue().to_pybytes())

    def measurements(self, step: int) -> list[Measurement]:
        """The measurements of one checkpoint. Raises EvidenceError when the file cannot be read."""
        path = self.measurements_file(step)
        try:
            return [Measurement.model_validate(row) for row in pq.read_table(path, schema=SCHEMA).to_pylist()]
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from error

    def finish(self, status: Status, reason: str | None = None) -> None:
        """Write the done marker: the digest of every piece of evidence, and how it ended."""
        files = {str(path.relative_to(self.path)): file_digest(path) for path in self._evidence()}
        run = read_json(self.path / "run.json").get("id")
        weights = [name for name in files if WEIGHTS.search(name)]
        content = part(files, weights, run=run, status=status, reason=reason, finished=_now())
        write_json(self.path / FIRST, content)

    def finish_second(self, names: Sequence[str], weights: Sequence[str] = ()) -> None:
        """Write the marker's second part: files made after the run, sealed to the first part.

        Raises EvidenceError when the run is not finished, or a file is listed already.
        """
        first = self.done()
        if first is None:
            raise EvidenceError(f"{self.path}: not finished; a second part of its marker needs the first")
        if twice := sorted({*names} & first.files.keys()):
            raise EvidenceError(f"{self.path / twice[0]}: is evidence of the run itself, and stays as it is")
        files = {name: read_state(self.path, name).sha256 for name in sorted({*names})}
        content = part(files, sorted(weights), first=first.digests[FIRST], finished=_now())
        write_json(self.path / SECOND, content)

    def done(self) -> Marker | None:
        """The done marker, or None while the run is not finished. Raises EvidenceError when it cannot be read."""
        return read_marker(self.path)

    def check(self, without_weights: bool = False) -> dict[str, State | None]:
        """Compare every file with the done marker; what each was, None for weights that are absent.

        Raises EvidenceError naming the first that differs. `without_weights`: absent weights are no fault.
        """
        marker = self.done()
        if marker is None:
            raise EvidenceError(f"{self.path}: not finished; run it again to go on")
        return {name: self._checked(name, marker, without_weights) for name in marker.files}

    def _checked(self, name: str, marker: Marker, without_weights: bool) -> State | None:
        path = self.path / name
        if without_weights and marker.is_weights(name) and not os.path.lexists(path):
            return None
        found = read_state(self.path, name)
        refuse_changed(path, found.sha256, marker.files[name])
        return found

    def sweep(self) -> None:
        """Remove what a killed worker was in the middle of writing."""
        for path in self.path.rglob(".*.tmp"):
            path.unlink(missing_ok=True)

    def _evidence(self) -> Iterable[Path]:
        """Every file of the run that is evidence. What others leave there (links, `._` files, copies) is not."""
        found = sorted(path for pattern in EVIDENCE for path in self.path.glob(pattern))
        plain = (path for path in found if path.is_file() and not path.is_symlink())
        return [path for path in plain if INSIDE.fullmatch(str(path.relative_to(self.path)))]


def may_be_evidence(name: str) -> bool:
    """Whether a path in a run's folder is one where evidence lies."""
    return any(_fits(name, pattern) for pattern in EVIDENCE)


def is_written(name: str) -> bool:
    """Whether a path in a run's folder is one that repro writes, evidence or not."""
    return name in (FIRST, SECOND) or any(_fits(name, pattern) for pattern in (*EVIDENCE, *OWN))


def _fits(name: str, pattern: str) -> bool:
    """As a path: a `*` stays within one folder."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def refuse_changed(path: Path, found: str, expected: str) -> None:
    """Raise EvidenceError for a file that is not what the run's marker says."""
    if found != expected:
        raise EvidenceError(
            f"{path}: found {found[:12]}, expected sha256 {expected[:12]} as recorded when the run ended; "
            f"the file was changed or truncated: restore it, or remove the run's folder and run again"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_json(path: Path) -> Any:
    """The content of an evidence file. Raises EvidenceError when it is not whole JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> EvidenceError:
    """The error for an evidence file that is missing, truncated or not what its name says."""
    problem = (str(error).splitlines() or ["empty"])[0]
    return EvidenceError(f"{path}: cannot be read ({problem}); remove that run's folder and run again")
