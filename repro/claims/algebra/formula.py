"""Arithmetic over intervals, as papers write it: "3 * 4 * 4", "hidden_size - dimension"."""

import ast
from collections.abc import Callable

from repro.claims.algebra.interval import Interval, Value, minus, over, plus, point, power, times
from repro.claims.formula import decimals_of, parse_formula
from repro.errors import ManifestError
from repro.geometry.undefined import Undefined


def compute(formula: str, named: Callable[[str], Value]) -> Value:
    """Compute a formula; `named` is asked for the value of each name.

    Raises ManifestError for anything but + − * / ** and parentheses.
    """
    return _value(parse_formula(formula), named, formula)


def _value(node: ast.expr, named: Callable[[str], Value], formula: str) -> Value:
    """Evaluate one node of a formula's tree."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return point(float(number))
        case ast.Name(id=name):
            return named(name)
        case ast.Call():
            written, digit = decimals_of(node, formula)
            return Interval(written - digit / 2, written + digit / 2)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            value = _value(inner, named, formula)
            return minus(point(0), value) if isinstance(value, Interval) else value
        case ast.BinOp(left=left, op=operator, right=right):
            first, second = _value(left, named, formula), _value(right, named, formula)
            if isinstance(first, Interval) and isinstance(second, Interval):
                return _apply(operator, first, second, formula)
            return next(
                (value for value in (first, second) if isinstance(value, Undefined)),
                Undefined("not a number"),
            )
    raise ManifestError(
        f"formula {formula!r}: only numbers, names of quantities, + - * / ** and parentheses are "
        "read"
    )


def _apply(
    operator: ast.operator, first: Interval, second: Interval, formula: str
) -> Interval | Undefined:
    """Apply an arithmetic operator to two intervals."""
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
            try:
                return power(first, second)
            except (OverflowError, ZeroDivisionError):
                return Undefined("a power beyond any number")
    raise ManifestError(
        f"formula {formula!r}: holds another operator; write it with + - * / ** alone"
    )
