"""A recipe says which public texts become probes: one source for each cell, equal lengths."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from repro.errors import ManifestError
from repro.manifest.recipe import read_recipe
from repro.shipped import ROOT


def source(domain: str, **changes: Any) -> dict[str, Any]:
    """A source of one cell."""
    labels = {"register": "formal", "domain": domain}
    fields = {"repository": "a/b", "file": "x.jsonl", "fields": ["text"], "licence": "CC0-1.0"}
    return {"labels": labels, **fields, **changes}


def written(folder: Path, *sources: dict[str, Any], **changes: Any) -> Path:
    """Write a recipe into a set's folder."""
    content = {"lengths": [45, 51, 57], "tolerance": 2, "sources": list(sources), **changes}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def test_the_set_whose_texts_are_not_published_has_132_of_them() -> None:
    """Twelve cells of eleven texts, each cell another."""
    recipe = read_recipe(ROOT / "probes" / "real_132")
    assert recipe is not None
    assert recipe.size == len(recipe.sources) * len(recipe.lengths) == 132
    assert len({frozenset(one.labels.items()) for one in recipe.sources}) == 12


def test_a_set_whose_texts_are_included_has_no_recipe(tmp_path: Path) -> None:
    assert read_recipe(ROOT / "probes" / "factorial_48") is None
    assert read_recipe(tmp_path / "absent") is None


def test_a_cell_has_one_source_in_whatever_order_its_labels_stand(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, source("code"), source("math")))
    assert recipe is not None
    assert (recipe.size, recipe.sources[0].revision, recipe.sources[0].replace) == (6, None, {})
    again = source("code", labels={"domain": "code", "register": "formal"})
    words = r"recipe\.yaml: two sources have the same labels; give each cell one source"
    with pytest.raises(ManifestError, match=words):
        read_recipe(written(tmp_path, source("code"), again))


@pytest.mark.parametrize(
    ("sources", "changes", "words"),
    [
        ([source("code")], {}, "field sources: .*expected at least 2"),
        ([source("code"), source("math", file="x.csv")], {}, r"field sources\.1\.file"),
        ([source("code"), source("math", fields=[])], {}, r"field sources\.1\.fields"),
        ([source("code"), source("math", revision="main")], {}, "40 hexadecimal digits"),
        ([source("code"), source("math")], {"tolerance": -1}, "field tolerance"),
        (
            [source("code"), source("math")],
            {"lenghts": [1]},
            "lenghts: unknown; nearest is lengths",
        ),
    ],
)
def test_a_wrong_recipe_is_refused_by_file_and_field(
    tmp_path: Path, sources: list[dict[str, Any]], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ManifestError, match=rf"recipe\.yaml: .*{words}"):
        read_recipe(written(tmp_path, *sources, **changes))
