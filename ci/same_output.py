"""Compare two outputs of a command; of a plan, without what depends on how busy the machine is.

python ci/same_output.py A B
"""

import json
import sys
from pathlib import Path

MEASURED = {"cpu_hours"}
"""Keys of a plan whose values are measured at that moment."""


def content(path: str) -> object:
    """Return JSON without values that are measured each time; any other text unchanged."""
    text = Path(path).read_text(encoding="utf-8")
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    if isinstance(parsed, list):
        return [{key: value for key, value in row.items() if key not in MEASURED} for row in parsed]
    return parsed


if __name__ == "__main__":
    first, second = map(content, sys.argv[1:])
    sys.exit(first != second)
