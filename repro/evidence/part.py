"""Name a part of a measurement that several keys tell apart: of which matrix, module, layer, head,
length, or scope.

Kept in the row's `concept`, as "matrix=update,module=q_proj": the keys in one fixed order, those
not given left out.
"""

KEYS = ("matrix", "module", "layer", "head", "length", "scope")


def part_name(**given: object) -> str:
    """Return the name of a part: part_name(matrix="update", module="q_proj")."""
    unknown = sorted(given.keys() - set(KEYS))
    if unknown:
        raise TypeError(f"no part is told by {unknown[0]}")
    return ",".join(f"{key}={given[key]}" for key in KEYS if key in given)


def part_keys(name: str) -> dict[str, str]:
    """Return what `part_name` was given; nothing of a plain concept."""
    pairs = [pair.partition("=") for pair in name.split(",")]
    keys = {key: value for key, separator, value in pairs if separator}
    return keys if len(keys) == len(pairs) and keys.keys() <= set(KEYS) else {}
