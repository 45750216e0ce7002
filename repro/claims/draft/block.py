"""From a source's table to a drafted block: which columns select or hold numbers, what to ask."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from repro.claims.draft.grid import DraftTable, GridPlace
from repro.claims.printed import read
from repro.claims.printed.clean import clean
from repro.claims.table import EMPTY_CELLS, draw_table
from repro.claims.written import RESERVED
from repro.errors import ManifestError

LONG = 30
"""Characters from which a text is rather prose than a label."""
_WORDS = "text without claims"
_SHOWN = 5
"""Cells that a question names before the rest are counted."""
_MEAN = re.compile(r"(?i)^\s*(avg|average|mean|overall|macro[- ]avg|all)\b\.?")


@dataclass(frozen=True)
class Block:
    """One drafted block."""

    locator: str
    questions: tuple[str, ...]
    keys: dict[str, str]
    columns: dict[str, dict[str, str]]
    ignore: dict[str, str]
    """Columns of prose."""
    table: str


def draft_table(table: DraftTable, number: int) -> Block:
    """Return the draft of one table. Raises ManifestError where its cells cannot be drawn."""
    rows, group_questions = _groups(table)
    names, tiers = _names(rows[: table.headers])
    used = [
        j
        for j, name in enumerate(names)
        if name or any(row[j].text for row in rows[table.headers :])
    ]
    header = _unique([names[j] or f"column {j + 1}" for j in used])
    body = [[row[j] for j in used] for row in rows[table.headers :]]
    if not body:
        raise ManifestError("a table of headers alone")
    numbers = [i for i in range(1, len(header)) if _holds_numbers([row[i].text for row in body])]
    cells, moved = _without_copies(body, numbers)
    questions = [
        *table.notes,
        *group_questions,
        *_questions(header, cells, numbers, table),
        *(
            [f"{_some(moved)}: printed once for several rows or columns; whose is it?"]
            if moved
            else []
        ),
    ]
    if changed := [name for j, name in zip(used, header, strict=True) if name != names[j]]:
        questions.append(
            f"{_some(changed)}: no name of the paper's; columns need one each. What do they hold?"
        )
    words = [i for i in range(len(header)) if i not in numbers]
    prose = [i for i in words[1:] if _is_prose([row[i] for row in cells])]
    labels = [i for i in words if i not in prose]
    questions += _words(header, labels[1:], prose)
    keys = dict(
        zip(
            [header[i] for i in labels], _unique([_axis(header[i], i) for i in labels]), strict=True
        )
    )
    ignore = {header[i]: _WORDS for i in prose}
    columns = {header[i]: _level(tiers[used[i]], header[i]) for i in numbers}
    return Block(
        f"Table {number}", tuple(questions), keys, columns, ignore, draw_table([header, *cells])
    )


def _groups(table: DraftTable) -> tuple[list[tuple[GridPlace, ...]], list[str]]:
    """Return the rows and questions about them; headings across the table become a column."""
    rows, headings, heading = [], [], ""
    for i, row in enumerate(table.rows):
        texts = {place.text for place in row if place.text}
        alone = (
            i >= table.headers
            and len(row) > 1
            and len(texts) == 1
            and (row[-1].copied or not row[-1].text)
        )
        if (
            alone
            and all(place.copied or not place.text for place in row[1:])
            and any(p.copied for p in row[1:])
        ):
            heading = row[0].text
            headings.append(heading)
            continue
        rows.append((GridPlace("group" if i < table.headers else heading), *row))
    if not headings:
        return list(table.rows), []
    return rows, [
        f"{_some(headings)}: headings across the table became the column 'group'; which axis is it?"
    ]


def _names(headers: Sequence[Sequence[GridPlace]]) -> tuple[list[str], list[list[str]]]:
    """Return each column's name, tiers of headers joined, and its tiers."""
    tiers = [
        list(dict.fromkeys(row[j].text for row in headers if row[j].text))
        for j in range(len(headers[0]))
    ]
    return [" / ".join(column) for column in tiers], tiers


def _unique(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        count = 1
        while (numbered := name if count == 1 else f"{name} ({count})") in found:
            count += 1
        found.append(numbered)
    return found


def _is_number(text: str) -> bool:
    try:
        return any(part.role != "in_brackets" for part in read(text))
    except ManifestError:
        return False


def _holds_numbers(texts: Sequence[str]) -> bool:
    """Tell whether a column holds numbers: most filled cells begin with one, once marks are off."""
    filled = [text for text in texts if text not in EMPTY_CELLS]
    begins = [
        text
        for text in filled
        if _is_number(text) or re.match(r"[-+−~<>≈±([]*\s*[.\d]", clean(text))
    ]
    return bool(filled) and 2 * len(begins) >= len(filled)


def _is_prose(texts: Sequence[str]) -> bool:
    """Tell whether a column holds prose: its cells are long, and all different."""
    filled = [text for text in texts if text not in EMPTY_CELLS]
    different = len(filled) > 1 and len(set(filled)) == len(filled)
    return different and median(len(clean(text)) for text in filled) >= LONG


def _words(header: list[str], labels: Sequence[int], prose: Sequence[int]) -> list[str]:
    """Return what to ask of columns of words beside the first."""
    told = [
        f"{_begin(header[i])}: long texts, all different, so it stands under ignore. Are they "
        "names of the rows? Then move it to keys"
        for i in prose
    ]
    if names := [header[i] for i in labels]:
        told.append(
            f"{_some(names)}: labels that tell rows apart, or prose? For prose, "
            f'ignore: {{{json.dumps(names[0], ensure_ascii=False)}: "why"}} in place of its key'
        )
    return told


def _without_copies(
    body: Sequence[Sequence[GridPlace]], numbers: Sequence[int]
) -> tuple[list[list[str]], list[str]]:
    """Return the cells and the numbers left out as copies: each would be a claim of its own.

    A number that spans stands once.
    """
    cells, moved = [], []
    for row in body:
        kept = ["" if i in numbers and place.copied else place.text for i, place in enumerate(row)]
        cells += [kept] if any(kept) else []
        moved += [place.text for i, place in enumerate(row) if i in numbers and place.copied]
    return cells, list(dict.fromkeys(moved))


def _questions(
    header: list[str], body: list[list[str]], numbers: list[int], table: DraftTable
) -> list[str]:
    """Return what only a person can say, in the order in which it is needed."""
    printed = [(row[0], row[i]) for row in body for i in numbers if row[i] not in EMPTY_CELLS]
    unread = [f"{first} {text!r}" for first, text in printed if not _is_number(text)]
    plain = [clean(text) for _, text in printed]
    means = [header[i] for i in numbers if _MEAN.match(clean(header[i]))]
    mean_rows = [row[0] for row in body if _MEAN.match(clean(row[0]))]
    caption = f" (its caption begins {_begin(table.caption)!r})" if table.caption else ""
    asked = [
        f"locator: is this the paper's table of that number{caption}?",
        "quantity: what are the numbers values of? One name for the block, or one in each column; `unit` where it is not printed",
        "measured_by: which manifest measures them? Or unverifiable: why can none?",
        "keys, columns: which axes do rows and columns run along? Rename row_…, column, tier; axes of your own stand in paper.yaml",
    ]  # fmt: skip
    if means:
        asked.append(
            f"{_some(means)}: a mean of the others? Then {{statistic: mean, over: AXIS}} in "
            "place of its level"
        )
    if mean_rows:
        asked.append(
            f"row {_some(mean_rows)}: a mean of the rows above? Then rows: "
            f"{{{mean_rows[0]!r}: {{statistic: mean, over: AXIS}}}}; where it meets a column that "
            "compares two, `cells`: docs/your_paper.md"
        )
    if any("±" in text for text in plain):
        asked.append(
            "spread: what stands behind ±, sd, se, ci or range? Over what (`over`, seed when "
            "left out)?"
        )
    if several := [
        text
        for _, text in printed
        if _is_number(text) and len({part.item for part in read(text)}) > 1
    ]:
        asked.append(
            f"parts: what is each number of {_some(several)}? Say parts: [{{…}}, {{…}}] in the "
            "column"
        )
    if nameless := [f"row {i}" for i, row in enumerate(body, 1) if not row[0]]:
        asked.append(
            f"{_some(nameless)}: no name in the first cell. Is it of the row above, or a part of "
            "it?"
        )
    if unread:
        without = [
            row[i]
            for row in body
            for i in numbers
            if row[i] not in EMPTY_CELLS and not _is_number(row[i])
        ]
        empty = list(dict.fromkeys(text for text in without if not re.search(r"\d", text)))
        asked.append(
            f"cells that are not read (docs/printed.md): {_some(unread)}; correct them, or say "
            f"nothing: {json.dumps(empty[:_SHOWN] or without[:1], ensure_ascii=False)} on the "
            "block where a cell holds no claim, ignore: {COLUMN: why} where a column holds none"
        )
    return asked


def _level(tiers: Sequence[str], name: str) -> dict[str, str]:
    """Return the levels that a column's headers name, marks off; a person renames their axes."""
    plain = [clean(re.sub(r"(?i)<br\s*/?>", " ", tier)) for tier in tiers] or [name]
    return {"tier" if len(plain) - i == 2 else "column" if i == len(plain) - 1 else f"tier_{len(plain) - i - 1}": level
            for i, level in enumerate(plain)}  # fmt: skip


def _axis(name: str, place: int) -> str:
    """Return a name for the axis that a column of labels runs along."""
    word = re.sub(r"\W+", "_", clean(name).casefold()).strip("_")
    return word if re.match(r"[a-z]", word) and word not in RESERVED else f"row_{word or place + 1}"


def _begin(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(_begin, names[:_SHOWN])) + more
