"""The probe sets written for this project keep the limits they declare and share no text."""

from itertools import combinations

import pytest

from repro.manifest.probes import PROBES, load_probe_set
from repro.probecheck import check
from repro.probecheck.texts import closest_pair

DESIGNS = {"factorial_48": 48, "core_60": 60, "diverse_60": 60, "six_domain_480": 480}


@pytest.mark.worker
@pytest.mark.parametrize("name", DESIGNS)
def test_a_set_keeps_its_limits(name: str) -> None:
    report = check(load_probe_set(name))
    assert [finding for finding in report.findings if finding.holds is False] == []
    assert report.n == DESIGNS[name]


@pytest.mark.parametrize("name", DESIGNS)
def test_a_set_declares_the_limits_that_make_it_worth_measuring_with(name: str) -> None:
    limits = load_probe_set(name).limits
    assert limits.length_p == 0.05
    assert limits.jaccard == 0.4
    assert limits.accuracy == {"domain": 0.90, "register": 0.65, "shape": 0.55}
    assert limits.lexical_gap == {"register": 0.15, "shape": 0.15}


@pytest.mark.parametrize("name", DESIGNS)
def test_a_set_says_where_it_comes_from_and_names_its_content(name: str) -> None:
    provenance = (PROBES / name / "PROVENANCE.md").read_text(encoding="utf-8")
    assert load_probe_set(name).content_hash in provenance
    assert load_probe_set(name).licence in provenance


@pytest.mark.parametrize("name", ["core_60", "diverse_60"])
def test_every_domain_meets_every_register_and_every_shape_five_times(name: str) -> None:
    labels = load_probe_set(name).labels()
    for other in ("register", "shape"):
        pairs = list(zip(labels["domain"], labels[other], strict=True))
        assert {pairs.count(pair) for pair in pairs} == {5}
        assert len(set(pairs)) == 12


@pytest.mark.worker
@pytest.mark.parametrize("pair", list(combinations(DESIGNS, 2)))
def test_no_text_of_one_set_is_close_to_one_of_another(pair: tuple[str, str]) -> None:
    first, second = (load_probe_set(name).texts() for name in pair)
    assert closest_pair([*first, *second])[0] < 0.4
