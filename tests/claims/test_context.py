"""What a paper prints beside a claim becomes parameters of its tolerance, its own ones first."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from repro.claims.claim import Claim

Written = Callable[..., tuple[Claim, ...]]
RUN: dict[str, Any] = {"quantity": "q", "model": "a", "condition": "B1", "step": 500}
START = {**RUN, "step": 0}


def said(written: Written, *claims: dict[str, Any]) -> tuple[Claim, ...]:
    """Return the claims of one statement each."""
    statements = [{"says": one["printed"], "claims": [one]} for one in claims]
    block = {"locator": "§1", "measured_by": "smoke", "statements": statements}
    return written(yaml.safe_dump(block))


def test_a_mean_knows_its_spread_its_runs_and_its_distance_from_the_start(
    written: Written,
) -> None:
    mean, *_ = said(
        written,
        {"printed": "0.64 ± 0.10", **RUN},
        {"printed": "0.94", "statistic": "mean", **START},
        {"printed": "3", "statistic": "count", **RUN},
    )
    assert mean.tolerance.parameters["sd"] == 0.10
    assert mean.tolerance.parameters["n"] == 3
    assert mean.tolerance.parameters["effect"] == pytest.approx(0.30)


def test_without_a_printed_spread_it_is_that_of_the_printed_runs(written: Written) -> None:
    mean, *_ = said(
        written,
        {"printed": "3.0", "statistic": "mean", **RUN},
        *({"printed": f"{value}.0", "seed": value, **RUN} for value in (1, 3, 5)),
    )
    assert mean.tolerance.parameters["sd"] == pytest.approx(2.0)
    assert mean.tolerance.parameters["n"] == 3


def test_a_seeds_own_start_comes_before_that_of_another(written: Written) -> None:
    run, *_ = said(
        written,
        {"printed": "0.50", "seed": 1, **RUN},
        {"printed": "0.90", "seed": 0, **START},
        {"printed": "0.80", "seed": 1, **START},
    )
    assert run.tolerance.parameters["effect"] == pytest.approx(0.30)


def test_a_parameter_that_the_paper_declares_is_kept(written: Written) -> None:
    own = {"rule": "prediction_interval", "parameters": {"sd": 0.5, "level": 0.1}, "reason": "wide"}
    mean, *_ = said(written, {"printed": "0.64", "statistic": "mean", "tolerance": own, **RUN},
                    {"printed": "0.10", "statistic": "sd", **RUN})  # fmt: skip
    assert (mean.tolerance.parameters["sd"], mean.tolerance.parameters["level"]) == (0.5, 0.1)


def test_nothing_is_known_of_a_number_printed_alone_or_of_a_setting(written: Written) -> None:
    alone, *_ = said(written, {"printed": "0.64", "seed": 1, **RUN})
    assert alone.tolerance.parameters.keys() <= {"level", "n"}
    setting, _ = said(written, {"printed": "0.64", "kind": "protocol", **RUN},
                      {"printed": "0.10", "statistic": "sd", **RUN})  # fmt: skip
    assert setting.tolerance.parameters == {}


def test_a_column_of_seeds_speaks_of_its_row_under_every_condition(written: Written) -> None:
    """In its own table: another one may be of other runs."""
    rows = """
keys: {Model: model}
columns:
  Plain: {condition: plain}
  n: {statistic: count, over: seed}
table: |
  | Model | Plain     | n |
  |-------|-----------|---|
  | a     | 2.0 ± 0.1 | 5 |
  | b     | 3.0 ± 0.1 | 4 |
"""
    shared = {"quantity": "bleu", "unverifiable": "nobody"}
    table = {"locator": "Table 1", **shared, **yaml.safe_load(rows)}
    claims = written(yaml.safe_dump(table))
    seeds = [claim.tolerance.parameters.get("n") for claim in claims if claim.statistic == "mean"]
    assert seeds == [5, 4]
    says = {"says": "2.5 ± 0.2", "claims": [{"printed": "2.5 ± 0.2"}]}
    away = {"locator": "Table 2", **shared, "model": "a", "condition": "plain"}
    elsewhere = written(yaml.safe_dump([table, away | {"statements": [says]}]))
    assert "n" not in elsewhere[-1].tolerance.parameters
