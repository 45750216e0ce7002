"""Check every name that becomes a path or a column.

A slash would lead into another folder, a control character into the terminal, a star into every
folder at once.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

LONGEST = 80
_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*")
RULE = f"letters (a to z), digits and . _ - + alone, {LONGEST} at most, no dot first"


def check_name(name: str) -> str:
    """Return the name. Raises ValueError when it cannot be a path or a column."""
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise ValueError(f"the name {name!r} becomes a path, expected {RULE}; choose another name")
    return name


Name = Annotated[str, AfterValidator(check_name)]
