"""Which columns a table of values may have for a paper: the axes that its claims use.

A paper that names models, conditions, seeds and steps needs these four; one with axes of its own
(`axes:` in its paper.yaml) is given columns of their names instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from repro.claims.claim import Claim, Term
from repro.claims.selector import Scalar
from repro.verify.evidence.cell import CONCEPT_KEYS, PART_KEYS

VALUED = ("quantity", "value")
"""The columns that every table needs."""
RUN_COLUMNS = ("model", "condition", "seed", "step")
"""The columns that tell runs apart."""
OPTIONAL = (*CONCEPT_KEYS, *PART_KEYS, "direction", "probe_set", "lambda", "adapter", "n")
_ELSEWHERE = ("layer", "gradient")
"""Keys of selectors that are settings of a manifest's runs, and no column."""


@dataclass(frozen=True)
class PaperAxes:
    """The columns of a paper's tables of values."""

    required: tuple[str, ...] = (*RUN_COLUMNS, *VALUED)
    own: tuple[str, ...] = ()
    """The paper's own axes: keys that no run of a manifest has."""
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Axis → what the paper calls a level → the level's name in its claims."""

    @property
    def known(self) -> tuple[str, ...]:
        """Return every column that a table may have."""
        return tuple(dict.fromkeys((*self.required, *RUN_COLUMNS, *self.own, *OPTIONAL)))

    def level(self, axis: str, text: str) -> str:
        """Return the claims' name of a level, which may be given as the paper calls it."""
        return self.aliases.get(axis, {}).get(text, text)


def axes_of(
    claims: Iterable[Claim], aliases: Mapping[str, Mapping[str, Scalar]] | None = None
) -> PaperAxes:
    """Return the columns for values of these claims, as far as they are measured.

    `model`, `condition`, `seed` and `step` are needed where some claim uses them, an axis of the
    paper's own where all do.
    """
    used = [keys for claim in claims if claim.basis == "measured" for keys in _used(claim.term)]
    every = frozenset.intersection(*used) if used else frozenset()
    some = frozenset[str]().union(*used)
    own = sorted(some - {*RUN_COLUMNS, *OPTIONAL, *_ELSEWHERE})
    run = [key for key in RUN_COLUMNS if key in some] if used else list(RUN_COLUMNS)
    required = (*run, *(key for key in own if key in every), *VALUED)
    names = {
        axis: {k: str(v) for k, v in levels.items()} for axis, levels in (aliases or {}).items()
    }
    return PaperAxes(required, tuple(own), names)


def _used(term: Term) -> Iterable[frozenset[str]]:
    """Yield, for each cell below a term, the keys that tell it from others."""
    for path in term.paths():
        along = {one.over for one in path if one.over is not None}
        yield frozenset({*path[-1].selector, *along})


def level_text(level: object) -> str:
    """Return a level as it is compared: numbers alike however they are written."""
    text = str(level).strip()
    try:
        return f"{float(text):g}"
    except ValueError:
        return text
