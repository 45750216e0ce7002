"""Take in a sender's folder: read, measure, compare, check, and keep it as evidence.

What cannot be judged at all is refused before anything is kept; what is only wanting is told, kept
with it, and stands beside every verdict from it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.claims.claim import Claim
from repro.claims.papers import Paper
from repro.errors import InputError
from repro.evidence.seals import seal_claims
from repro.evidence.supplied import SuppliedRecord, keep_supplied
from repro.files import file_digest
from repro.supply.folder import Sent, SentFile, read_folder
from repro.supply.measured import measure_all
from repro.supply.rows import Laid, lay, values_of
from repro.supply.seeds import missing_seeds, same_seeds
from repro.supply.units import doubtful_units, in_percent, refuse_units
from repro.verify.assess import assess
from repro.verify.evidence.axes import axes_of
from repro.verify.evidence.repetition import with_seeds
from repro.verify.evidence.supplied import judged_on_values, supplied_evidence
from repro.verify.evidence.unmatched import KnownLevels, named_levels, refuse_unmatched, unspoken
from repro.verify.evidence.values import SuppliedValue, read_values, same_cell
from repro.verify.verdict import Verdict

_TOLD = 50
"""Lines of one kind that are told one by one."""


@dataclass(frozen=True)
class Taken:
    """What was taken in, and what is to be said of it."""

    folder: Path
    record: SuppliedRecord
    sent: Sent
    laid: Laid
    judged: int
    """Claims of the paper that it has values for."""
    disagreements: tuple[str, ...]
    missing: tuple[str, ...]
    doubts: tuple[str, ...]
    """Values that may be of other units, or another seed's."""
    notes: tuple[str, ...]
    """What no claim speaks of, and files that nothing was read from."""


def take_in(paper: Paper, folder: Path, results: Path, by: str) -> Taken:
    """Take in what the authors of a paper sent.

    Raises InputError for a folder that cannot be read, other models and other units than the
    paper's, rows given twice, and where no claim speaks of anything in it.
    """
    sender = " ".join(by.split())
    if not sender:
        raise InputError("--by: empty; expected the name of who sent the files")
    axes, levels = axes_of(paper.claims, paper.aliases), named_levels(paper.claims)
    sent = read_folder(folder, axes)
    stated = [value for name in sent.tables for value in read_values(sent.path / name, axes, name)]
    _refuse_twice(stated)
    _refuse_same_content(sent)
    of_files = [_of_file(file) for file in sent.files]
    notes = [*_told(stated, levels, paper.id), *_told(of_files, levels, paper.id, ("condition",))]
    refuse_units(stated, paper.claims)
    measured = list(measure_all(sent))
    laid = lay(stated, measured, in_percent(paper.claims))
    for wrong in laid.disagreements:
        if wrong.percent:
            raise InputError(
                f"{wrong.line}: percent and fraction? give every value in the unit of the "
                "paper's print"
            )
    values = values_of(laid.rows)
    verdicts = _verdicts(paper.claims, values)
    # Of a file everything is measured: what it says of a claim's quantity is the nearest miss.
    nearest = [
        value
        for value in values
        if value.quantity in levels.get("quantity", ())
        and value.concept in (None, *levels.get("concept", ()))
    ]
    refuse_unmatched(verdicts, stated or nearest or values, levels, paper.id)
    notes += [f"{name}: nothing was read from it; it is not kept" for name in sent.unread]
    disagreements = tuple(
        f"{wrong.line}; correct it, or send the file that gives it" for wrong in laid.disagreements
    )
    claims, repeated = with_seeds(paper.claims, [*stated, *of_files])
    missing = tuple(missing_seeds(repeated, claims))
    doubts = (
        *(file.doubt for file in measured if file.doubt),
        *same_seeds(repeated[: len(stated)]),
        *doubtful_units(stated, paper.claims),
    )
    record = {
        "paper": paper.id,
        "by": sender,
        "seal": seal_claims(results, paper.claims),
        "files": {name: file_digest(sent.path / name) for name in sent.every},
        "told": _few((*disagreements, *missing, *doubts)),
    }
    where, made = keep_supplied(results, sent.path, record, laid.rows)
    judged = sum(verdict.grade is not None for verdict in verdicts)
    return Taken(where, made, sent, laid, judged, disagreements, missing, doubts, tuple(notes))


def _told(
    values: Sequence[SuppliedValue],
    levels: KnownLevels,
    paper: str,
    columns: tuple[str, ...] = ("quantity", "condition", "concept"),
) -> Iterator[str]:
    """Yield what no claim speaks of. Raises InputError for another model than the paper's."""
    for _, line in unspoken(values, levels, paper, ("model",)):
        raise InputError(line)
    for _, line in unspoken(values, levels, paper, columns):
        yield line


def _few(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines that are kept with the files: the first, and how many more there are."""
    more = (f"and {len(lines) - _TOLD} more lines",) if len(lines) > _TOLD else ()
    return (*lines[:_TOLD], *more)


def _refuse_twice(values: Sequence[SuppliedValue]) -> None:
    """Raise InputError where two tables have one cell."""
    seen: dict[tuple[object, ...], SuppliedValue] = {}
    for value in values:
        if (first := seen.setdefault(value.cell, value)) is not value:
            raise InputError(same_cell(value, first, first.place))


def _refuse_same_content(sent: Sent) -> None:
    """Raise InputError where one file's content is sent as that of two trained runs."""
    seen: dict[str, str] = {}
    for file in sent.files:
        name = (
            file.name if file.kind == "activations" else f"{file.name}/{_weights(sent, file.name)}"
        )
        if (
            file.run.step
            and (first := seen.setdefault(file_digest(sent.path / name), file.place)) != file.place
        ):
            raise InputError(
                f"{file.place}: {name}: the same numbers as the file of {first}; two runs never "
                "give the same: send each run's own"
            )


def _weights(sent: Sent, adapter: str) -> str:
    """Return the name of an adapter's weights."""
    found = [
        name for name in sent.every if name.startswith(f"{adapter}/") and not name.endswith(".json")
    ]
    if not found:
        raise InputError(f"{adapter}: no weights; expected adapter_model.safetensors there")
    return found[0].removeprefix(f"{adapter}/")


def _of_file(file: SentFile) -> SuppliedValue:
    """Return a value that stands for a file, where only its run matters."""
    run = file.run
    return SuppliedValue(
        model=run.model,
        condition=run.condition,
        seed=run.seed,
        step=run.step,
        quantity=file.kind,
        value=0.0,
        adapter=run.adapter,
        axes=run.axes,
        place=file.place,
    )


def _verdicts(claims: Sequence[Claim], values: Sequence[SuppliedValue]) -> list[Verdict]:
    """Judge the claims by the values, to see which they speak of."""
    claims, values = with_seeds(claims, values)
    freed = judged_on_values(claims, values)
    return assess(freed, None, everything=freed, supplied=supplied_evidence(values, freed))
