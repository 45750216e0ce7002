"""A paper's own repetitions are its seeds; what averages over another axis needs all its levels."""

import pytest

from repro.claims.papers import find_paper
from repro.verify.assess import assess
from repro.verify.evidence.repetition import repetition_axis, with_seeds
from repro.verify.evidence.supplied import judged_on_values, supplied_evidence
from repro.verify.evidence.values import SuppliedValue
from repro.verify.verdict import Verdict

CLAIMS = find_paper("domainbed").claims
TABLE = "domainbed/training-domain-validation-vlcs"
MEANS = {"c": 97.7, "l": 64.3, "s": 73.4, "v": 74.6}


def value(domain: str, trial: int, number: float) -> SuppliedValue:
    axes = (("algorithm", "ERM"), ("benchmark", "vlcs"), ("domain", domain), ("trial", str(trial)))
    return SuppliedValue("", "", -1, 0, "accuracy", number, axes=axes)


def judged(domains: str) -> dict[str, Verdict]:
    sent = [value(d, t, MEANS[d] + (t - 1) / 10) for d in domains for t in range(3)]
    claims, values = with_seeds(CLAIMS, sent)
    freed = judged_on_values(claims, values)
    verdicts = assess(freed, None, supplied=supplied_evidence(values, freed))
    return {verdict.id.removeprefix(f"{TABLE}/"): verdict for verdict in verdicts}


def test_the_axis_is_that_of_the_papers_spreads() -> None:
    assert repetition_axis(CLAIMS) == "trial"
    assert repetition_axis(find_paper("laptop").claims) is None
    assert repetition_axis(find_paper("consolidated").claims) is None


def test_values_by_trial_are_judged_as_those_of_seeds() -> None:
    found = judged("clsv")
    cell = found["erm-textbf-c"]
    assert (cell.kind, cell.n, cell.estimate) == ("seed_mean", 3, pytest.approx(97.7))
    assert cell.outcome == "reproduced"
    assert found["erm-textbf-avg"].estimate == pytest.approx(sum(MEANS.values()) / 4)


def test_an_average_over_domains_that_were_not_all_given_is_not_formed() -> None:
    found = judged("cls")
    assert found["erm-textbf-avg"].outcome == "not_run"
    assert found["erm-textbf-c"].n == 3


def test_a_paper_without_repetitions_of_its_own_stays_as_it_is() -> None:
    claims = find_paper("laptop").claims
    values = [SuppliedValue("m", "c", 0, 9, "q", 1.0)]
    assert with_seeds(claims, values) == ([*claims], values)
