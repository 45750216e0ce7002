"""Rows of the further diagnostics: what a claim selects is what is written."""

import numpy as np
import pytest

from repro.diagnose.further import further, rows_of
from repro.geometry.crosstalk import crosstalk, pair
from repro.geometry.diagnosis import diagnose
from repro.geometry.labels import Labels
from repro.geometry.similarity import subspace_dimension
from repro.manifest.probes import load_probe_set


@pytest.fixture(scope="module")
def six_domains() -> tuple[np.ndarray, Labels]:
    """Activations that hold all three concepts of six_domain_480 in noise, legal and code partly on
    one axis.
    """
    labels = Labels.of(load_probe_set("six_domain_480").labels())
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(labels.onehot.shape[1], 40))
    axes[3] += axes[0]
    return labels.onehot @ axes + rng.normal(size=(480, 40)), labels


def rows(name: str, X: np.ndarray, labels: Labels) -> dict[tuple[str, str | None], float | None]:
    """(quantity, concept) → value of one diagnostic."""
    found = diagnose(X, labels)
    made = further(name, X, labels, found, found.trace, rows_of(0, "post_norm", len(X)))
    return {(row.quantity, row.concept): row.value for row in made}


def test_crosstalk_is_written_by_companion_of_code_and_damage_by_direction(six_domains) -> None:
    X, labels = six_domains
    found, written = crosstalk(X, labels), rows("crosstalk", X, labels)
    names = ("creative_writing", "formal_logic", "legal", "math", "medical")
    assert {concept for quantity, concept in written if quantity == "crosstalk"} == set(names)
    for name in names:
        assert written["crosstalk", name] == pair(found, "code", name).crosstalk
    a, b = found.domains.index("legal"), found.domains.index("code")
    assert written["directed_damage", "legal to code"] == found.damage[a, b] > 0
    assert sum(quantity == "directed_damage" for quantity, _ in written) == 36


def test_the_subspace_is_that_of_the_code_texts_alone(six_domains) -> None:
    X, labels = six_domains
    code = X[[p.labels["domain"] == "code" for p in load_probe_set("six_domain_480").probes]]
    assert rows("subspace", X, labels) == {("subspace_dimension", None): subspace_dimension(code)}
    assert subspace_dimension(code) != subspace_dimension(X)
