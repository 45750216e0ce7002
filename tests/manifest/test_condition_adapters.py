"""What a condition may say it trains, and what the run then says."""

from pathlib import Path

import pytest

from repro.errors import ManifestError
from repro.manifest.adapters import BlockDiagonal, Full, Lora
from repro.manifest.experiment import Experiment
from repro.manifest.load import MANIFESTS, load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run, differences

SMOKE = (MANIFESTS / "smoke.yaml").read_text().replace("id: smoke", "id: mine")
PHASES = "phases: [{steps: 6, mixture: {code: 0.7, natural_language: 0.3}}]"


def load(tmp_path: Path, conditions: str) -> Experiment:
    """The smoke manifest with further conditions, which its first arm runs."""
    path = tmp_path / "mine.yaml"
    names = ", ".join(line.split(":")[0].strip() for line in conditions.splitlines())
    content = SMOKE.replace("training:", f"{conditions}\ntraining:", 1)
    path.write_text(
        content.replace("conditions: [B0, B1, B2, B3]", f"conditions: [B0, B3, {names}]")
    )
    return load_experiment(str(path))


def runs(tmp_path: Path, conditions: str) -> dict[str, Run]:
    """Its runs with seed 0 by condition."""
    planned = expand(load(tmp_path, conditions), local_environment())
    return {
        run.condition_id: run
        for run in planned
        if run.model.id == "tiny-qwen2" and run.seed in (0, None)
    }


def test_conditions_of_one_manifest_may_train_different_things(tmp_path: Path) -> None:
    found = runs(
        tmp_path,
        f"  F: {{title: f, {PHASES}, adapter: {{kind: full}}}}\n"
        f"  A: {{title: a, {PHASES}, adapter: {{kind: block_diagonal, grouping: aligned}}}}\n"
        f"  I: {{title: i, {PHASES}, adapter: {{kind: block_diagonal, grouping: isolated, "
        f"rank: 1}}}}\n"
        f"  L: {{title: l, {PHASES}, adapter: {{kind: lora, rank: 4, alpha: 8}}}}",
    )
    trained = {name: run.training.trained for name, run in found.items()}
    assert trained == {
        "B0": Lora(rank=8, alpha=16),
        "B3": Lora(rank=8, alpha=16),
        "F": Full(),
        "A": BlockDiagonal(grouping="aligned"),
        "I": BlockDiagonal(grouping="isolated", rank=1),
        "L": Lora(rank=4, alpha=8),
    }
    assert len({run.id for run in found.values()}) == 6
    assert {name for name, run in found.items() if run.training.quantisation.format == "none"} == {
        "F"
    }


def test_saying_what_holds_anyway_does_not_change_a_run(tmp_path: Path) -> None:
    said = f"  L: {{title: l, {PHASES}, adapter: {{kind: lora, rank: 8, alpha: 16}}}}"
    run, plain = runs(tmp_path, said)["B3"], load_experiment(str(tmp_path / "mine.yaml"))
    condition = plain.conditions["L"]
    again = run.model_copy(
        update={"condition": condition, "training": plain.training.under(condition)}
    )
    assert again.id == run.id


def test_a_condition_may_train_at_a_rate_of_its_own(tmp_path: Path) -> None:
    """Its own rate is in the name of its runs; that of the manifest, said again, is not."""
    lora = "adapter: {kind: lora, rank: 4, alpha: 8}"
    full = "adapter: {kind: full}"
    found = runs(
        tmp_path,
        f"  L: {{title: l, {PHASES}, {lora}}}\n"
        f"  LR: {{title: r, {PHASES}, {lora}, learning_rate: 0.02}}\n"
        f"  F: {{title: f, {PHASES}, {full}}}\n"
        f"  FR: {{title: s, {PHASES}, {full}, learning_rate: 0.02}}\n"
        f"  S: {{title: t, {PHASES}, learning_rate: 0.01}}",
    )
    assert {name: run.training.optimizer.learning_rate for name, run in found.items()} == {
        **dict.fromkeys(("B0", "B3", "L", "F"), 0.01),
        **dict.fromkeys(("LR", "FR"), 0.02),
    }, "S is B3's run, which is planned once"
    for one, other in (("L", "LR"), ("F", "FR")):
        changed = differences(found[one].key(), found[other].key())
        assert changed == ["training.optimizer.learning_rate: 0.01 → 0.02"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (
            "learning_rate: 0.02",
            r"field conditions\.X: has a learning_rate but trains nothing; give it phases or "
            r"drop the rate",
        ),
        (f"{PHASES}, learning_rate: 0", r"field conditions\.X\.learning_rate: "),
        (
            "adapter: {kind: full}",
            r"field conditions\.X: has the adapter full but trains nothing; give it phases or "
            r"drop the adapter",
        ),
        (
            f"{PHASES}, adapter: {{kind: fool}}",
            r"field conditions\.X\.adapter: found kind 'fool'; say kind: one of lora, full, "
            r"block_diagonal, mps$",
        ),
        (
            f"{PHASES}, adapter: {{rank: 3}}",
            r"X\.adapter: found {'rank': 3}, which has no kind; say kind: one of lora, full, "
            r"block_diagonal, mps$",
        ),
        (
            f"{PHASES}, adapter: {{kind: full, rank: 3}}",
            r"field conditions\.X\.adapter\.full\.rank: unknown; known are kind; correct",
        ),
        (
            f"{PHASES}, adapter: {{kind: lora, rang: 3}}",
            r"adapter\.lora\.rang: unknown; nearest is rank; known are kind, rank, alpha, "
            r"dropout, targets;",
        ),
        (
            f"{PHASES}, adapter: {{kind: block_diagonal}}",
            r"adapter\.block_diagonal\.grouping: missing; add it",
        ),
        (
            f"{PHASES}, continues: B3, adapter: {{kind: full}}",
            r"X trains full but continues B3, which trains lora \(.*\)",
        ),
    ],
)
def test_a_wrong_adapter_is_named_in_one_line(
    tmp_path: Path, condition: str, expected: str
) -> None:
    with pytest.raises(ManifestError, match=expected) as caught:
        load(tmp_path, f"  X: {{title: x, {condition}}}")
    assert "\n" not in str(caught.value)


def test_lora_is_a_field_of_its_own_in_training(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SMOKE.replace("training:", "training:\n  adapter: {kind: full}", 1))
    assert load_experiment(str(path)).training.adapter == Full()
    path.write_text(SMOKE.replace("training:", "training:\n  adapter: {kind: lora, rank: 4}", 1))
    with pytest.raises(
        ManifestError,
        match=r"field training\.adapter: found kind 'lora', .* write it as training\.lora",
    ):
        load_experiment(str(path))


def test_a_condition_goes_on_from_another_with_the_same_adapter(tmp_path: Path) -> None:
    block = "adapter: {kind: block_diagonal, grouping: aligned}"
    found = runs(
        tmp_path,
        f"  A: {{title: a, {PHASES}, {block}}}\n  C: {{title: c, {PHASES}, {block}, continues: A}}",
    )
    assert found["C"].parent is not None
    assert found["C"].parent.id == found["A"].id
    other = block.replace("aligned", "isolated")
    with pytest.raises(
        ManifestError, match=r"grouping isolated.*grouping aligned.*give both the same adapter"
    ):
        load(
            tmp_path,
            f"  A: {{title: a, {PHASES}, {block}}}\n  C: {{title: c, {PHASES}, {other}, "
            f"continues: A}}",
        )
