"""Accept one SQL statement that only reads. DuckDB's own parser decides."""

import re

import duckdb

from repro.errors import InputError

READS = "one SELECT (or WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, or EXPLAIN of one)"
_GAP = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_EXPLAIN = re.compile(rf"{_GAP}explain\b{_GAP}(?:analyze\b|\([^)]*\))?", re.IGNORECASE | re.DOTALL)


def check_statement(sql: str) -> None:
    """Raise InputError for SQL that is not exactly one read-only statement."""
    kind, text = _only(sql)
    if kind == "EXPLAIN":  # EXPLAIN ANALYZE executes what it explains.
        kind, _ = _only(_EXPLAIN.sub("", text, count=1))
    if kind != "SELECT":
        raise InputError(f"{kind} is not answered: this store is only read; give {READS}")


def _only(sql: str) -> tuple[str, str]:
    """Return (kind, text) of the one statement. Parsing opens no database and touches no file."""
    try:
        with duckdb.connect(":memory:") as connection:
            found = connection.extract_statements(sql)
            kinds = [statement.type.name for statement in found]
    except duckdb.Error as error:
        raise InputError(f"{' '.join(str(error).split())}; give {READS}") from error
    except (ValueError, UnicodeError) as error:
        # A statement type that the Python package does not know.
        raise InputError(f"that statement is not answered ({error}); give {READS}") from error
    if not found:
        raise InputError(
            f"{sql!r}: no statement in it; give one query, such as 'SELECT * FROM runs'"
        )
    if len(found) > 1:
        raise InputError(f"found {len(found)} statements, expected {READS}")
    return kinds[0], found[0].query
