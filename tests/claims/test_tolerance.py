"""One rule for each kind of claim, with its parameters and its reason."""

from typing import get_args

import pytest
from pydantic import ValidationError

from repro.claims.tolerance import BASES, DEFAULTS, ClaimKind, Tolerance


def test_every_kind_of_claim_has_a_rule_and_a_reason() -> None:
    assert set(DEFAULTS) == set(get_args(ClaimKind))
    assert all(len(tolerance.reason.split()) >= 3 for tolerance in DEFAULTS.values())


def test_what_rests_on_a_definition_or_a_setting_is_tested_at_no_level() -> None:
    assert all("level" not in DEFAULTS[kind].parameters for kind in BASES)
    levels = {tolerance.parameters.get("level", 0.05) for tolerance in DEFAULTS.values()}
    assert levels == {0.05}


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValidationError, match="rule"):
        Tolerance.model_validate({"rule": "rule_of_thumb", "reason": "by eye"})
    with pytest.raises(ValidationError, match="reason"):
        Tolerance.model_validate({"rule": "exact"})
