"""Candidates to compare with EvalPlus: the benchmark's own solutions, mutants of them, and answers
of unusual types.
"""
# ruff: noqa: E501 (a program a line)

import ast
import itertools
from collections.abc import Iterator

from repro.manifest.benchmark import Problem

ODD = {
    "add_up": [
        "def add_up(numbers): return float(sum(numbers))",
        "def add_up(numbers): return str(sum(numbers))",
        "import numpy\ndef add_up(numbers): return numpy.sum(numpy.array(numbers, dtype=object)) if numbers else 0",
        "import numpy as np\ndef add_up(numbers): return np.int64(sum(numbers) % 2**40) if sum(numbers) < 2**40 else sum(numbers)",
        "def add_up(numbers): return [sum(numbers)]",
        "def add_up(numbers): print(sum(numbers))",
        "def add_up(numbers):\n    total = sum(numbers)\n    numbers.clear()\n    return total",
        "class Sly(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef add_up(numbers): return Sly(sum(numbers))",
        "from fractions import Fraction\ndef add_up(numbers): return Fraction(sum(numbers), 1)",
        "from decimal import Decimal\ndef add_up(numbers): return Decimal(sum(numbers))",
        "def add_up(numbers): return complex(sum(numbers))",
        "def add_up(numbers): return sum(numbers)\nexit()",
        "import os\ndef add_up(numbers): return sum(numbers) if os.getcwd() else 0",
        "def add_up(numbers): return sum(numbers) if open('/etc/hostname') else 0",
        "def add_up(numbers): return sum(numbers) + len(input())",
        "import sys\nprint('noise', file=sys.stderr)\nprint('x' * 10000)\ndef add_up(numbers): return sum(numbers)",
        "def add_up(numbers):\n    raise SystemExit(0)",
        "def add_up(numbers) return 1",
        "def other(numbers): return sum(numbers)",
        "add_up = sum",
        "from collections import Counter\nfrom typing import *\ndef add_up(numbers: List[int]) -> int: return sum(numbers)",
        "if __name__ == '__main__':\n    raise ValueError\ndef add_up(numbers): return sum(numbers)",
        "def add_up(numbers, seen=[]):\n    seen.append(1)\n    return sum(numbers) + (len(seen) > 3)",
    ],
    "mean_of": [
        "def mean_of(values): return (sum(values) / len(values) if values else 0.0) + 5e-7",
        "def mean_of(values): return (sum(values) / len(values) if values else 0.0) + 5e-6",
        "def mean_of(values): return sum(values) / len(values) if values else 0",
        "import numpy as np\ndef mean_of(values): return np.mean(values) if values else 0.0",
        "import numpy as np\ndef mean_of(values): return np.mean(values) + 1e-8 if values else 0.0",
        "def mean_of(values): return float('nan')",
        "def mean_of(values): return float('inf')",
        "def mean_of(values): return [sum(values) / len(values) if values else 0.0]",
        "import statistics\ndef mean_of(values): return statistics.mean(values) if values else 0.0",
        "def mean_of(values): return 10 ** 400",
    ],
    "count_letters": [
        "from collections import Counter\ndef count_letters(text): return Counter(text.replace(' ', ''))",
        "from collections import OrderedDict\ndef count_letters(text):\n    return OrderedDict((x, text.count(x)) for x in sorted(set(text) - {' '}))",
        "from collections import defaultdict\ndef count_letters(text):\n    d = defaultdict(int)\n    for x in text:\n        if x != ' ': d[x] += 1\n    return d",
        "def count_letters(text): return {x: float(text.count(x)) for x in text if x != ' '}",
        "def count_letters(text): return [(x, text.count(x)) for x in text]",
        "def count_letters(text): return {x: text.count(x) for x in text if x != ' '}.items()",
    ],
    "smallest_and_largest": [
        "def smallest_and_largest(numbers): return [min(numbers), max(numbers)]",
        "from collections import namedtuple\nP = namedtuple('P', 'a b')\ndef smallest_and_largest(n): return P(min(n), max(n))",
        "import numpy as np\ndef smallest_and_largest(n): return np.min(n), np.max(n)",
        "import numpy as np\ndef smallest_and_largest(n): return np.array([min(n), max(n)])",
        "def smallest_and_largest(n): return {min(n), max(n)}",
        "def smallest_and_largest(n): yield min(n); yield max(n)",
    ],
    "is_palindrome": [
        "def is_palindrome(text): return int(text == text[::-1])",
        "def is_palindrome(text): return float(text == text[::-1])",
        "import numpy as np\ndef is_palindrome(text): return np.bool_(text == text[::-1])",
        "def is_palindrome(text): return 'yes' if text == text[::-1] else ''",
        "def is_palindrome(text): return None if text != text[::-1] else True",
    ],
    "first_primes": [
        "def first_primes(count): return tuple(n for n in range(2, 400) if all(n % d for d in range(2, n)))[:count]",
        "def first_primes(count): return range(2, 2 + count)",
        "import numpy as np\ndef first_primes(count): return [np.int32(n) for n in range(2, 400) if all(n % d for d in range(2, n))][:count]",
        "def first_primes(count):\n    import sys\n    sys.setrecursionlimit(10 ** 6)\n    def down(n): return down(n + 1)\n    return down(0)",
    ],
    "distance": [
        "import math\ndef distance(a, b): return math.dist(a, b)",
        "import numpy as np\ndef distance(a, b): return float(np.linalg.norm(np.array(a) - np.array(b)))",
        "import numpy as np\ndef distance(a, b): return np.linalg.norm(np.array(a) - np.array(b))",
        "def distance(a, b): return round(sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5, 6)",
        "def distance(a, b): return round(sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5, 3)",
        "def distance(a, b): return str(sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5)",
    ],
    "run_lengths": [
        "from itertools import groupby\ndef run_lengths(text): return [(k, len(list(g))) for k, g in groupby(text)]",
        "from itertools import groupby\ndef run_lengths(text): return [[k, len(list(g))] for k, g in groupby(text)]",
        "from itertools import groupby\ndef run_lengths(text): return ((k, len(list(g))) for k, g in groupby(text))",
        "from collections import deque\nfrom itertools import groupby\ndef run_lengths(t): return deque((k, len(list(g))) for k, g in groupby(t))",
        "class L(list): pass\nfrom itertools import groupby\ndef run_lengths(t): return L((k, len(list(g))) for k, g in groupby(t))",
    ],
    "index_of": ["def index_of(items, wanted): return items.index(wanted) if wanted in items else -1"],
    "reverse_words": [
        "def reverse_words(text): return ' '.join(text.split()[::-1]).encode()",
        "class S(str): pass\ndef reverse_words(text): return S(' '.join(text.split()[::-1]))",
        "def reverse_words(text): return '\\ud800'",
    ],
    "flatten": ["def flatten(nested):\n    x = []\n    x.append(x)\n    return x"],
}  # fmt: skip
"""Programs by the function they define."""


def candidates(problem: Problem, mutants: int = 2) -> list[str]:
    """The problem's own solution, so many mutants of it, and what is odd about its kind of answer."""
    own = problem.prompt + problem.canonical_solution
    return [own, *itertools.islice(mutate(own), mutants), *ODD.get(problem.entry_point, [])]


def mutate(code: str) -> Iterator[str]:
    """The program with one number, comparison or operator changed at a time, from its end."""
    places = len(list(_sites(ast.parse(code))))
    for place in reversed(range(places)):
        tree = ast.parse(code)
        _change(list(_sites(tree))[place])
        yield ast.unparse(tree)


def _sites(tree: ast.AST) -> Iterator[ast.AST]:
    kinds = (ast.Compare, ast.BinOp)
    for node in ast.walk(tree):
        number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        if number or isinstance(node, kinds):
            yield node


def _change(node: ast.AST) -> None:
    if isinstance(node, ast.Constant):
        node.value += 1
    elif isinstance(node, ast.Compare):
        swaps = {
            ast.Lt: ast.LtE,
            ast.LtE: ast.Lt,
            ast.Gt: ast.GtE,
            ast.GtE: ast.Gt,
            ast.Eq: ast.NotEq,
            ast.NotEq: ast.Eq,
        }
        node.ops[0] = swaps.get(type(node.ops[0]), type(node.ops[0]))()
    elif isinstance(node, ast.BinOp):
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
