"""What has changed since `repro verify` was last asked, kept beside the store in a file of its own.

The store is rebuilt by every ingest and forgets; this file does not.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from repro.errors import ReproError, first_line
from repro.files import write_json
from repro.report.terminal.words import SYMBOLS, phrase_verdict
from repro.verify.verdict import Outcome, Verdict

_FILE = "last_verdicts.json"
News = list[str]
"""One line for every change that some claims share."""
_NAMED = 3


def read_last(results: Path) -> dict[str, str]:
    """Return the outcome that each claim had at the last call; empty where none is known."""
    try:
        content = json.loads((results / _FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    known = content.get("outcomes") if isinstance(content, dict) else None
    return (
        {str(claim): str(outcome) for claim, outcome in known.items()}
        if isinstance(known, dict)
        else {}
    )


def changes(last: dict[str, str], verdicts: Sequence[Verdict]) -> News:
    """Say which claims have another outcome than at the last call."""
    moved: dict[tuple[str, Outcome, str], list[str]] = defaultdict(list)
    for verdict in verdicts:
        before = last.get(verdict.id, verdict.outcome)
        if before != verdict.outcome:
            moved[before, verdict.outcome, phrase_verdict(verdict)].append(verdict.id)
    return [
        f"{SYMBOLS[after][0]} {before.replace('_', ' ')} → {words}: {_some(ids)}"
        for (before, after, words), ids in moved.items()
    ]


def keep_last(results: Path, last: dict[str, str], verdicts: Sequence[Verdict]) -> str | None:
    """Keep the outcomes for the next call; return why not, where the folder cannot be written."""
    now = last | {verdict.id: verdict.outcome for verdict in verdicts}
    if now == last:
        return None
    try:
        write_json(results / _FILE, {"outcomes": now})
    except (OSError, ReproError) as error:
        return first_line(error)
    return None


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
