"""Formulas of claims: arithmetic over numbers and names of quantities, refused where written.

A number in a formula is exact; `rounded(1.20)` carries its decimals, 1.195 to 1.205.
"""

import ast
import math
from collections.abc import Callable
from functools import cache

from repro.errors import ManifestError

_LARGEST = 1e300
_KNOWN = "only numbers, rounded(number), names of quantities, + - * / ** and parentheses are read"


@cache
def parse_formula(formula: str) -> ast.expr:
    """Return the formula's tree. Raises ManifestError for all but arithmetic of readable size."""
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ManifestError(f"formula {formula!r}: not arithmetic; {_KNOWN}") from None
    _constant(tree.body, formula)
    return tree.body


def check_formula(formula: object, where: str) -> None:
    """Refuse a formula that cannot be computed, with its place. Raises ManifestError."""
    if not isinstance(formula, str):
        raise ManifestError(
            f"{where}: field formula: found {formula!r}, expected arithmetic in quotes"
        )
    try:
        parse_formula(formula)
    except ManifestError as error:
        raise ManifestError(f"{where}: {error}") from None


def decimals_of(node: ast.Call, formula: str) -> tuple[float, float]:
    """Return (value, weight of the last digit) of rounded(1.20), from its own characters."""
    written = ast.get_source_segment(formula.strip(), node.args[0]) or ""
    sign = 1 if not isinstance(node.args[0], ast.UnaryOp) else -1
    digits = written.lstrip("+-( ").rstrip(") ").replace("_", "")
    return sign * float(digits), 10.0 ** -len(digits.partition(".")[2])


def _constant(node: ast.expr, formula: str) -> float | None:
    """Return the value of a part without names, None of one with.

    Walking it refuses whatever is no arithmetic.
    """
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _sized(lambda: float(number), formula)
        case ast.Name():
            return None
        case ast.Call(func=ast.Name(id="rounded"), args=[argument], keywords=[]) if _is_number(
            argument
        ):
            return decimals_of(node, formula)[0]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            value = _constant(inner, formula)
            return None if value is None else -value
        case ast.BinOp(
            left=left,
            op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow() as operator,
            right=right,
        ):
            first, second = _constant(left, formula), _constant(right, formula)
            if first is None or second is None:
                return None
            return _sized(lambda: _applied(operator, first, second), formula)
    raise ManifestError(f"formula {formula!r}: {_KNOWN}")


def _is_number(node: ast.expr) -> bool:
    inner = (
        node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    )
    return isinstance(inner, ast.Constant) and type(inner.value) in (int, float)


def _applied(operator: ast.operator, first: float, second: float) -> float:
    match operator:
        case ast.Add():
            return first + second
        case ast.Sub():
            return first - second
        case ast.Mult():
            return first * second
        case ast.Div():
            return first / second
        case _:
            return math.pow(first, second)


def _sized(compute: Callable[[], float], formula: str) -> float:
    try:
        value: float = compute()
    except (OverflowError, ZeroDivisionError, ValueError) as error:
        raise ManifestError(
            f"formula {formula!r}: cannot be computed ({error}); correct it"
        ) from None
    if not abs(value) <= _LARGEST:
        raise ManifestError(
            f"formula {formula!r}: is larger than any number that is printed; correct it"
        )
    return value
