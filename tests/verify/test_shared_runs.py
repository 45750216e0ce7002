"""A manifest's verdicts are the same whether it made its runs itself or found some of them made by
another.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.evidence.asked import write_asked
from repro.evidence.measurement import Measurement
from repro.evidence.seals import seal_claims
from repro.execute.folders import place_runs, prepare
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.store.database import connect
from repro.store.ingest import ingest
from repro.verify.assess import assess
from repro.verify.verdict import Verdict

EI = "entanglement_intensity"
MANIFEST = """
id: {name}
title: one of two
image: local
probe_set: factorial_48
domains: {{code: [standard_library], math: [grade_school]}}
conditions:
  B1: {{title: code, phases: [{{steps: 6, mixture: {{code: 1.0}}}}]}}
  B2: {{title: both, phases: [{{steps: 6, mixture: {{code: 0.7, math: 0.3}}}}]}}
training: {{lora: {{rank: 4}}, compute: float32}}
diagnostics: {{every: 6}}
arms: [{{models: [tiny-llama], conditions: {conditions}, seeds: [0, 1, 2, 3]}}]
"""


def runs(folder: Path, name: str, conditions: str) -> list[Run]:
    (folder / f"{name}.yaml").write_text(MANIFEST.format(name=name, conditions=conditions))
    return list(expand(load_experiment(str(folder / f"{name}.yaml")), local_environment()))


def carry_out(asked: Sequence[Run], results: Path, seal: str) -> int:
    """What `repro run` does, with numbers that come from a run's own inputs; return how many runs
    were left to do.
    """
    write_asked(results, asked[0].experiment, asked)
    left = [one for one in place_runs(asked, results) if one.state != "finished"]
    for one in left:
        folder = prepare(one, seal)
        end = {"B1": 0.30, "B2": 0.60}[one.run.condition_id] + 0.01 * (one.run.seed or 0)
        for step, value in ((0, 0.9), (6, end)):
            folder.append(
                step, [Measurement(step=step, quantity=EI, value=value, n=48, layer="post_norm")]
            )
        folder.finish("done")
    return len(left)


@pytest.fixture
def claims(claims_of: Callable[..., list[Claim]]) -> list[Claim]:
    cell = {"measured_by": "second", "model": "tiny-llama", "step": 6}
    made = claims_of(
        {**cell, "printed": "0.315 ± 0.020", "condition": "B1"},
        {**cell, "printed": "0.900 ± 0.001", "condition": "B2"},
        {**cell, "printed": "4", "statistic": "count", "condition": "B1"},
        {**cell, "printed": "4", "statistic": "count", "condition": "B2"},
        {**cell, "printed": "0.9", "step": 0},
    )
    return [claim.model_copy(update={"evidence": "random"}) for claim in made]


def judged(results: Path, claims: Sequence[Claim]) -> list[Verdict]:
    """The verdicts, without the times of seals and runs."""
    assert ingest(results).refused == ()
    with connect(results) as connection:
        return [
            verdict.model_copy(
                update={
                    "artefacts": {
                        key: value for key, value in verdict.artefacts.items() if key != "sealed"
                    }
                }
            )
            for verdict in assess(claims, connection)
        ]


def test_verdicts_do_not_depend_on_who_made_the_runs(tmp_path: Path, claims: list[Claim]) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    assert carry_out(runs(tmp_path, "first", "[B1]"), shared, seal_claims(shared, claims)) == 4
    assert carry_out(runs(tmp_path, "second", "[B1, B2]"), shared, seal_claims(shared, claims)) == 4
    assert carry_out(runs(tmp_path, "second", "[B1, B2]"), alone, seal_claims(alone, claims)) == 8
    found = judged(alone, claims)
    assert judged(shared, claims) == found
    assert "not_run" not in {verdict.outcome for verdict in found}
    assert len({verdict.outcome for verdict in found}) > 1


def test_a_claim_that_was_stated_after_the_shared_run_says_so(
    tmp_path: Path, claims: list[Claim]
) -> None:
    """And is judged by it in a folder where it was sealed first: the control."""
    results, before = tmp_path / "results", tmp_path / "before"
    carry_out(runs(tmp_path, "first", "[B1]"), results, seal_claims(results, claims[1:]))
    carry_out(runs(tmp_path, "second", "[B1]"), results, seal_claims(results, claims))
    carry_out(runs(tmp_path, "second", "[B1]"), before, seal_claims(before, claims))
    late, early = judged(results, claims)[0], judged(before, claims)[0]
    assert late.outcome == "inconclusive"
    assert "stated after the evidence it would be judged by" in late.reason
    assert early.outcome != "inconclusive"
    assert early.outcome in late.reason
