"""Recipes of probe sets: texts taken from public sources by rules, for sets whose texts are not ours to publish.

A set's folder then holds `recipe.yaml` beside `concepts.yaml`; `repro fetch` of a manifest that measures on it writes
`probes.jsonl` and `materialised.json`, where the sources can be reached (docs/SCIENCE.md §1, real_132).
"""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from repro.frozen import Frozen
from repro.manifest.model import Revision
from repro.manifest.yaml import read_yaml, validate

FILE = "recipe.yaml"


class RecipeSource(Frozen):
    """One public source, which gives the texts of one cell."""

    labels: dict[str, str] = Field(min_length=1)
    """The cell: concept to class."""
    repository: str
    """A data set on the hub."""
    revision: Revision | None = None
    """None: none was seen in public use; the first materialisation takes the newest and notes which it was."""
    file: str = Field(pattern=r"\.(jsonl|json|parquet)$")
    """The one file of it that is read."""
    fields: tuple[str, ...] = Field(min_length=1)
    """What of a record becomes the text, in this order; a dot enters a field, every item of a list is taken."""
    keep: str = ""
    """Regular expression that a text must match somewhere; empty: none."""
    drop: str = ""
    """Regular expression that a text must match nowhere; empty: none."""
    replace: dict[str, str] = Field(default={})
    """Regular expression to what stands for it, applied in this order before anything else."""
    licence: str
    note: str = ""


class Recipe(Frozen):
    """Which texts are taken: as many of each source, at the same lengths in every cell."""

    lengths: tuple[int, ...] = Field(min_length=1)
    """Words of each text of a cell; a text is the first whole sentences of a record."""
    tolerance: int = Field(ge=0)
    """By how many words a text may miss its length."""
    sources: tuple[RecipeSource, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _one_source_a_cell(self) -> Self:
        cells = [tuple(sorted(source.labels.items())) for source in self.sources]
        if len(set(cells)) < len(cells):
            raise ValueError("two sources have the same labels; give each cell one source")
        return self

    @property
    def size(self) -> int:
        """Texts of the whole set."""
        return len(self.sources) * len(self.lengths)


def read_recipe(folder: Path) -> Recipe | None:
    """The recipe of a set's folder; None where its texts come with it. Raises ManifestError for a bad one."""
    path = folder / FILE
    return validate(Recipe, read_yaml(path), str(path)) if path.is_file() else None
