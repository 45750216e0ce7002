"""The parts of `make gpu`: what each does, how long it may take, and what a failure looks like."""

from dataclasses import dataclass

from bench.table import Row, missing

PROOF = "proof: "
"""What the name of a row begins with that shows correctness. A speed counts only beside these."""
SPEED = "tokens/s"
"""The unit of speeds."""
ABSENT = "not installed"
"""What the note of a row begins with whose package is optional and is not here."""


@dataclass(frozen=True)
class Part:
    """One part."""

    about: str
    seconds: int
    """About so long it takes on an H100."""
    limit: int
    """Seconds after which it is ended. What it had found by then is kept."""
    module: str
    argument: str = ""
    """The model of a part that trains one."""


PARTS = {
    "card": Part("the card, the driver, and versions beside the lock's", 5, 40, "card"),
    "smoke": Part("the smoke manifest here against a processor's evidence", 60, 120, "smoke"),
    "bits": Part("one run twice, and once more killed twice", 30, 80, "bits"),
    "kernels": Part("kernels against plain formulas", 20, 60, "kernels"),
    "7b": Part(
        "7B: learning, speeds, memory, Trainer, profile", 170, 260, "sizes", "qwen2.5-coder-7b"
    ),
    "14b": Part("14B: speed, memory", 45, 100, "sizes", "qwen2.5-coder-14b"),
    "32b": Part("32B: speed, memory", 80, 140, "sizes", "qwen2.5-coder-32b"),
    "small": Part("SmolLM2-135M: seconds a step", 20, 60, "sizes", "smollm2-135m"),
}
"""In the order in which they run: the cheap proofs first."""


def failed(name: str, reason: str) -> Row:
    """Return the row of something that was to be found and was not."""
    return missing(name, f"failed: {reason}")


def stated(name: str, value: float, unit: str, note: str = "") -> Row:
    """Return a figure that has no bar."""
    return {
        "name": name,
        "value": float(value),
        "unit": unit,
        "bar": "",
        "holds": True,
        "note": note,
    }


def counted(found: list[Row]) -> list[Row]:
    """Return a part's rows, in which no speed holds unless every proof beside it does."""
    if all(row["holds"] for row in found if row["name"].startswith(PROOF)):
        return found
    note = "does not count, because a proof of this part failed"
    return [
        {**row, "holds": False, "note": f"{note}; {row['note']}".strip("; ")}
        if row["unit"] == SPEED
        else row
        for row in found
    ]


def code(found: list[Row]) -> int:
    """Return the exit code: 3 for what was not found, 1 for a proof that failed, else 0.

    A missed speed is told, and is no failure. A failed proof wins.
    """
    if any(row["name"].startswith(PROOF) and not row["holds"] for row in found if _found(row)):
        return 1
    optional = [row for row in found if row["note"].startswith(ABSENT)]
    return 3 if any(not _found(row) for row in found if row not in optional) else 0


def _found(row: Row) -> bool:
    """Return whether a row has a value."""
    return row["value"] is not None
