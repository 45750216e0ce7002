"""Manifests that ask for the same run share it: what their plans have in common, without running
anything.
"""

from itertools import combinations

import pytest

from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run

NAMES = ("companions", "dynamics", "reversibility", "scale_ladder")
TWINS = tuple(f"{name}_laptop" for name in NAMES)
Plans = dict[str, dict[str, Run]]


@pytest.fixture(scope="module")
def plans() -> Plans:
    """The runs of each of the eight manifests by their names."""
    environment = local_environment()
    return {
        name: {run.id: run for run in expand(load_experiment(name), environment)}
        for name in (*NAMES, *TWINS)
    }


def common(plans: Plans, one: str, other: str) -> set[str]:
    """What both ask for, as readers call it."""
    return {plans[one][identity].slot for identity in plans[one].keys() & plans[other].keys()}


def test_the_twins_ask_for_17_runs_where_they_name_21(plans: Plans) -> None:
    """scale_ladder's twin climbs other models than the three that stay on one, so it has none in
    common.
    """
    assert common(plans, "companions_laptop", "dynamics_laptop") == {
        "smollm2-135m-B2-s0",
        "smollm2-135m-B3-s0",
    }
    assert common(plans, "companions_laptop", "reversibility_laptop") == {"smollm2-135m-B3-s0"}
    assert common(plans, "dynamics_laptop", "reversibility_laptop") == {
        "smollm2-135m-B3-s0",
        "smollm2-135m-B3-s1",
    }
    for other in TWINS[:3]:
        assert common(plans, "scale_ladder_laptop", other) == set()
    assert sum(len(plans[name]) for name in TWINS) == 21
    assert len({identity for name in TWINS for identity in plans[name]}) == 17


def test_the_manifests_at_full_size_ask_for_29_runs_where_they_name_49(plans: Plans) -> None:
    assert len(common(plans, "dynamics", "scale_ladder")) == 16
    assert common(plans, "companions", "scale_ladder") == {
        "qwen2.5-coder-32b-B2-s0",
        "qwen2.5-coder-32b-B3-s0",
    }
    assert common(plans, "reversibility", "scale_ladder") == {
        "qwen2.5-coder-14b-B3-s0",
        "qwen2.5-coder-32b-B3-s0",
    }
    assert sum(len(plans[name]) for name in NAMES) == 49
    assert len({identity for name in NAMES for identity in plans[name]}) == 29


def test_no_manifest_shares_a_run_whose_inputs_are_others(plans: Plans) -> None:
    """Equal names are equal keys; and of two manifests' runs that readers call alike, unequal names
    are unequal keys.
    """
    for one, other in combinations(plans, 2):
        for identity in plans[one].keys() & plans[other].keys():
            assert plans[one][identity].key() == plans[other][identity].key()
        unshared = {run.slot: run for run in plans[one].values() if run.id not in plans[other]}
        for run in plans[other].values():
            if run.slot in unshared and run.id not in plans[one]:
                assert unshared[run.slot].key() != run.key()


def test_manifests_that_differ_in_csr_alone_share_the_runs_without_it() -> None:
    """`companions` as it is written, and with another probe set behind its penalty."""
    given = load_experiment("companions")
    csr = given.training.csr.model_copy(update={"probe_set": "core_60"})
    other = given.model_copy(update={"training": given.training.model_copy(update={"csr": csr})})
    pairs = list(zip(*(expand(each, local_environment()) for each in (given, other)), strict=True))
    same = {one.condition_id for one, two in pairs if one.id == two.id}
    assert same == {one.condition_id for one, _ in pairs if one.condition.csr is None}
    assert 0 < len(same) < len(pairs)


def test_companions_shares_its_runs_with_the_ladder() -> None:
    """B2 and B3 with seed 0 are the same runs in both, so they have the same names."""
    ids = [
        {run.slot: run.id for run in expand(load_experiment(name), local_environment())}
        for name in ("companions", "scale_ladder")
    ]
    both = set(ids[0]) & set(ids[1])
    assert both
    assert all(ids[0][slot] == ids[1][slot] for slot in both)


def test_an_untrained_condition_is_planned_once_and_without_a_seed() -> None:
    bases = [
        run
        for run in expand(load_experiment("smoke"), local_environment())
        if run.condition_id == "B0"
    ]
    assert [run.model.id for run in bases] == ["tiny-qwen2", "tiny-llama", "tiny-mistral"]
    assert all(run.seed is None for run in bases)
