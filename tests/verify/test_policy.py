"""A gate holds verdicts to a policy: what fails, what is incomplete, what is excused."""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from subprocess import CompletedProcess
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from repro.errors import ManifestError
from repro.verify.policy import Policy, apply_policy, gate_lines, load_policy
from repro.verify.verdict import Outcome, Verdict

OUTCOMES = get_args(Outcome)
BAD, OPEN = {"contradicted", "fails"}, {"inconclusive", "unverifiable", "differs", "not_set"}


def verdict(name: str, outcome: Outcome) -> Verdict:
    return Verdict.model_construct(id=name, outcome=outcome, reason="so it is")


def code(outcomes: dict[str, Outcome], must: list[str], may: list[str]) -> int:
    policy = Policy(must_not_be_contradicted=tuple(must), may_be_inconclusive=tuple(may))
    verdicts = [verdict(*item) for item in outcomes.items()]
    return apply_policy(policy, list(outcomes), verdicts, "p").code


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_is_something_to_a_gate(outcome: Outcome) -> None:
    expected = 1 if outcome in BAD else 3 if outcome in OPEN | {"not_run"} else 0
    excused = 0 if outcome in OPEN else expected
    assert code({"p/a": outcome}, ["p/a"], []) == expected
    assert code({"p/a": outcome}, ["p/*"], ["*/a"]) == excused


@given(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=6), st.integers(0, 5))
def test_a_gate_is_as_good_as_its_worst_claim(outcomes: list[Outcome], held: int) -> None:
    """Against counting by hand; claims that no glob names change nothing."""
    names = {f"p/{number}": outcome for number, outcome in enumerate(outcomes)}
    last = min(held, len(outcomes) - 1)
    glob = f"p/[0-{last}]"
    found = {outcome for name, outcome in names.items() if fnmatchcase(name, glob)}
    expected = 1 if found & BAD else 3 if found & (OPEN | {"not_run"}) else 0
    assert code(names, [glob], []) == expected


def test_a_claim_that_nobody_judged_has_not_passed() -> None:
    policy = Policy(must_not_be_contradicted=("p/*",))
    gate = apply_policy(policy, ["p/a", "p/b"], [verdict("p/a", "reproduced")], "p")
    assert (gate.code, gate.state) == (3, "incomplete")
    assert [*gate_lines(gate, "p")] == [
        "policy p: incomplete: 1 of 2 claims pass, 0 failed, 1 incomplete",
        "incomplete: p/b: not judged here: another manifest or paper is asked",
    ]


@pytest.mark.parametrize(
    ("must", "may", "words"),
    [
        (["p/*", "q/*"], [], "must_not_be_contradicted: 'q/*' names no claim; "),
        (["p/aa"], [], "nearest is p/a; "),
        (["p/a"], ["p/b"], "may_be_inconclusive: 'p/b' names no claim that must hold; "),
    ],
)
def test_a_glob_that_names_nothing_is_an_error(must: list[str], may: list[str], words: str) -> None:
    with pytest.raises(ManifestError, match="names no claim") as error:
        code({"p/a": "reproduced", "p/b": "reproduced"}, must, may)
    assert words in str(error.value)


def test_a_policy_is_frozen_and_knows_its_fields(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("must_not_be_contradicted: [a]\nmay_be_incomplete: [b]\n")
    with pytest.raises(ManifestError, match=r"p\.yaml: .*may_be_incomplete"):
        load_policy(tmp_path / "p.yaml")
    (tmp_path / "p.yaml").write_text("must_not_be_contradicted: []\n")
    with pytest.raises(ManifestError, match="must_not_be_contradicted"):
        load_policy(tmp_path / "p.yaml")
    with pytest.raises(ValidationError):
        Policy(must_not_be_contradicted=("a",)).may_be_inconclusive = ("b",)  # type: ignore[misc]


def test_verify_exits_by_the_policy(
    repro: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    """What holds by definition passes, what fails by it fails, what was not run is incomplete."""
    everything = json.loads(repro("verify", "--json").stdout)["claims"]
    for outcome, expected in (("holds", 0), ("fails", 1), ("not_run", 3)):
        name = next(one["id"] for one in everything if one["outcome"] == outcome)
        policy = tmp_path / f"{outcome}.yaml"
        policy.write_text(json.dumps({"must_not_be_contradicted": [name.replace("[", "[[]")]}))
        done = repro("verify", "--policy", str(policy))
        assert done.returncode == expected, done.stderr
        said = [line for line in done.stdout.splitlines() if name in line and ": " in line]
        assert bool([line for line in said if line.startswith(("failed", "incomplete"))]) == bool(
            expected
        )
    policy.write_text(json.dumps({"must_not_be_contradicted": ["no/such/claim"]}))
    done = repro("verify", "--policy", str(policy))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
