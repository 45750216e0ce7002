"""Recipes of probe sets: rules that select texts from public sources.

They serve sets whose texts we may not publish. Such a set's folder holds `recipe.yaml` beside
`concepts.yaml`; `repro fetch` of a manifest that measures on it writes `probes.jsonl` and
`materialised.json`, where the sources can be reached (docs/SCIENCE.md §1, real_132).
"""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from repro.frozen import Frozen
from repro.manifest.model import Revision
from repro.manifest.yaml import read_yaml, validate

_FILE = "recipe.yaml"


class RecipeSource(Frozen):
    """One public source, which supplies the texts of one cell."""

    labels: dict[str, str] = Field(min_length=1)
    """The cell: concept → class."""
    repository: str
    """A data set on the hub."""
    revision: Revision | None = None
    """None: no revision is known from public use; the first materialisation takes the newest
    and records it.
    """
    file: str = Field(pattern=r"\.(jsonl|json|parquet)$")
    """The file that is read."""
    fields: tuple[str, ...] = Field(min_length=1)
    """Fields of a record that form the text, in this order; a dot enters a field, all items of
    a list are used.
    """
    keep: str = ""
    """Regular expression that a text must match somewhere; empty: none."""
    drop: str = ""
    """Regular expression that a text must match nowhere; empty: none."""
    replace: dict[str, str] = Field(default={})
    """Regular expression → its replacement, applied in this order before anything else."""
    licence: str
    note: str = ""


class Recipe(Frozen):
    """The selection of texts: equal numbers and lengths from each source."""

    lengths: tuple[int, ...] = Field(min_length=1)
    """Words of each text of a cell. A text is the first whole sentences of a record."""
    tolerance: int = Field(ge=0)
    """Most words by which a text may miss its length."""
    sources: tuple[RecipeSource, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _one_source_a_cell(self) -> Self:
        """Require one source for each cell."""
        cells = [tuple(sorted(source.labels.items())) for source in self.sources]
        if len(set(cells)) < len(cells):
            raise ValueError("two sources have the same labels; give each cell one source")
        return self

    @property
    def size(self) -> int:
        """Return the number of texts in the set."""
        return len(self.sources) * len(self.lengths)


def read_recipe(folder: Path) -> Recipe | None:
    """Return the recipe in a set's folder; None where its texts are included.

    Raises ManifestError for an invalid one.
    """
    path = folder / _FILE
    return validate(Recipe, read_yaml(path), str(path)) if path.is_file() else None
