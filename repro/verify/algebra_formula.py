"""Arithmetic as a paper writes it: "3 * 4 * 4", "hidden_size - subspace_dimension", over intervals."""

import ast
from collections.abc import Callable

from repro.errors import ManifestError
from repro.verify.algebra_interval import Interval, Missing, Value, minus, over, plus, point, power, times


def compute(formula: str, named: Callable[[str], Value]) -> Value:
    """The formula's value; names are asked for. Raises ManifestError for anything but + − * / ** and parentheses."""
    try:
        tree = ast.parse(formula, mode="eval")
    except SyntaxError:
        raise ManifestError(
            f"formula {formula!r}: not arithmetic; use numbers, names of quantities, + - * / **"
        ) from None
    return _value(tree.body, named, formula)


def _value(node: ast.expr, named: Callable[[str], Value], formula: str) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return point(float(number))
        case ast.Name(id=name):
            return named(name)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            value = _value(inner, named, formula)
            return minus(point(0), value) if isinstance(value, Interval) else value
        case ast.BinOp(left=left, op=operator, right=right):
            first, second = _value(left, named, formula), _value(right, named, formula)
            if isinstance(first, Interval) and isinstance(second, Interval):
                return _apply(operator, first, second, formula)
            return next((value for value in (first, second) if isinstance(value, Missing)), Missing("not a number"))
    raise ManifestError(f"formula {formula!r}: only numbers, names of quantities, + - * / ** and parentheses are read")


def _apply(operator: ast.operator, first: Interval, second: Interval, formula: str) -> Interval | Missing:
    match operator:
        case ast.Add():
            return plus(first, second)
        case ast.Sub():
            return minus(first, second)
        case ast.Mult():
            return times(first, second)
        case ast.Div():
            return over(first, second)
        case ast.Pow():
            return power(first, second.middle)
    raise ManifestError(f"formula {formula!r}: only + - * / ** are read")
