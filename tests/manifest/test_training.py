"""What a protocol and its conditions may say they train, what the run then says, and which sequences
share a forward pass.
"""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from repro.errors import ManifestError
from repro.manifest.adapters import BlockDiagonal, Full, Lora
from repro.manifest.experiment import Experiment
from repro.manifest.load import MANIFESTS, load_experiment
from repro.manifest.training import (
    MOST_STEPS,
    Condition,
    Penalty,
    Phase,
    Quantisation,
    Training,
)
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run, differences

SMOKE = (MANIFESTS / "smoke.yaml").read_text().replace("id: smoke", "id: mine")
PHASES = "phases: [{steps: 6, mixture: {code: 0.7, natural_language: 0.3}}]"

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=40)


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


@given(LENGTHS, st.integers(1, 300))
def test_every_sequence_is_in_one_pass_and_no_pass_is_over_the_bound(
    lengths: list[int], bound: int
) -> None:
    found = Training(tokens_per_forward=bound).passes(lengths)
    assert sorted(row for rows in found for row in rows) == list(range(len(lengths)))
    for rows in found:
        assert len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= bound


@given(LENGTHS, st.integers(1, 300))
def test_passes_are_of_similar_length_the_longest_first(lengths: list[int], bound: int) -> None:
    found = [
        [lengths[row] for row in rows]
        for rows in Training(tokens_per_forward=bound).passes(lengths)
    ]
    flat = [length for rows in found for length in rows]
    assert flat == sorted(lengths, reverse=True)


@given(LENGTHS)
def test_a_bound_of_one_token_gives_one_sequence_at_a_time_and_a_large_one_a_single_pass(
    lengths: list[int],
) -> None:
    assert len(Training(tokens_per_forward=1).passes(lengths)) == len(lengths)
    assert len(Training(tokens_per_forward=60 * 40).passes(lengths)) == 1


@given(LENGTHS, st.integers(1, 300))
def test_packed_passes_hold_every_sequence_once_within_the_bound_and_half_fill_it(
    lengths: list[int], bound: int
) -> None:
    """The largest comes first; of two passes neither would have taken the other's sequences."""
    training = Training(tokens_per_forward=bound, packing="packed")
    found = training.passes(lengths)
    assert sorted(row for rows in found for row in rows) == list(range(len(lengths)))
    sizes = [training.computed([lengths[row] for row in rows]) for rows in found]
    assert sum(sizes) == sum(lengths), "there is no padding"
    assert sizes == sorted(sizes, reverse=True)
    for rows, size in zip(found, sizes, strict=True):
        assert len(rows) == 1 or size <= bound
    assert all(one + other > bound for one, other in pairwise(sizes))


@given(LENGTHS, st.integers(1, 300))
def test_packing_is_first_fit_of_the_longest_first(lengths: list[int], bound: int) -> None:
    """Each sequence, longest first, lies in the first pass that had room for it then."""
    found = Training(tokens_per_forward=bound, packing="packed").passes(lengths)
    expected: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        for rows in expected:
            if sum(lengths[other] for other in rows) + lengths[row] <= bound:
                rows.append(row)
                break
        else:
            expected.append([row])
    assert sorted(found) == sorted(expected)


def test_under_a_condition_whole_weights_are_not_quantised_and_adapters_keep_theirs() -> None:
    phases = (Phase(steps=1, mixture={"code": 1.0}),)
    protocol = Training(adapter=BlockDiagonal(grouping="aligned"))
    full = protocol.under(Condition(title="f", phases=phases, adapter=Full(), learning_rate=0.5))
    assert (full.trained, full.optimizer.learning_rate) == (Full(), 0.5)
    assert full.quantisation == Quantisation(format="none", double=False)
    assert protocol.under(Condition(title="b", phases=phases)) == protocol
    lora = protocol.under(Condition(title="l", phases=phases, adapter=Lora(rank=2)))
    assert (lora.adapter, lora.lora, lora.trained) == (None, Lora(rank=2), Lora(rank=2))
    assert lora.quantisation == Quantisation()


def test_steps_are_those_of_all_phases_up_to_a_bound() -> None:
    half = Phase(steps=MOST_STEPS // 2, mixture={"code": 1.0})
    assert Condition(title="t").steps == 0
    assert Condition(title="t", phases=(half, half)).steps == MOST_STEPS
    one = Phase(steps=1, mixture={"code": 1.0})
    with pytest.raises(ValidationError, match=r"has 1,000,001 steps in all, expected 1,000,000"):
        Condition(title="t", phases=(half, half, one))


def test_the_defaults_are_the_papers_printed_protocol() -> None:
    """Consolidated paper §2.2: NF4 twice quantised, LoRA 64/128/0.05, 1e-4, 16 sequences a step."""
    protocol = Training()
    assert (protocol.quantisation.format, protocol.quantisation.double) == ("nf4", True)
    assert (protocol.lora.rank, protocol.lora.alpha, protocol.lora.dropout) == (64, 128, 0.05)
    assert protocol.optimizer.learning_rate == 1e-4
    assert protocol.sequences_per_step == 16
    assert Training(batch_size=3, accumulation=5).sequences_per_step == 15
    with pytest.raises(ValidationError, match="greater than 0"):
        Penalty(strength=0)
