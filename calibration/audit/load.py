"""The way from a made-up paper's fields through YAML to the loader, as a user's paper goes."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from calibration.audit.paper import Fields
from repro.claims.claim import Claim
from repro.claims.papers import load_paper

AXES = ("rater", "item", "fold", "answer", "first", "second")
"""Of the made-up papers, beside the common ones."""


def load(fields: Sequence[Fields]) -> tuple[Claim, ...]:
    """Return the claims of fields that were written as a paper's YAML and read back. Raises
    ManifestError.
    """
    statements = [
        {"says": each["says"], "claims": [{k: v for k, v in each.items() if k != "says"}]}
        for each in fields
    ]
    block = {"locator": "§1", "statements": statements}
    with TemporaryDirectory() as home:
        folder = Path(home) / "paper"
        folder.mkdir()
        head = {"id": "paper", "title": "A random paper", "axes": list(AXES)}
        (folder / "paper.yaml").write_text(yaml.safe_dump(head))
        (folder / "claims.yaml").write_text(yaml.dump(block, Dumper=yaml.CSafeDumper))
        return load_paper(folder).claims
