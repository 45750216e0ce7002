"""Numbers that were edited together with their digests are found; untouched evidence gives none."""

import json
import shutil
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.files import file_digest, write_json
from repro.measure.again import ROUNDING_GAP, measure_again

KEPT = Path(__file__).resolve().parents[2] / "evidence"
RUN = "canary_entropies/tiny-llama-lora-s0-*"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run that the repository carries, in a results folder of its own."""
    (path,) = (KEPT / "runs").glob(RUN)
    target = tmp_path / "results" / path.relative_to(KEPT)
    return RunFolder(Path(shutil.copytree(path, target)))


def forge(folder: RunFolder, step: int, rows: list[Measurement]) -> None:
    """Write other rows, and let the marker say that they were always there."""
    folder.append(step, rows)
    seal(folder, f"steps/{step:06d}.parquet")


def seal(folder: RunFolder, name: str) -> None:
    """Give the marker the digest that a file has now."""
    marker = json.loads((folder.path / "done.json").read_text())
    marker["files"][name] = file_digest(folder.path / name)
    write_json(folder.path / "done.json", marker)
    folder.check(without_weights=True)


def test_untouched_evidence_gives_no_difference(run: RunFolder) -> None:
    found = measure_again(run, {})
    assert (found.others, found.missing) == ((), ())
    assert found.same > 200
    assert found.unmade > 100, "entropies and losses come from the model"


def altered(row: Measurement, factor: float) -> Measurement:
    """The row with another value."""
    assert row.value is not None
    return row.model_copy(update={"value": row.value * factor})


@pytest.mark.parametrize("quantity", ["entanglement_intensity", "damage", "accuracy", "activation_trace"])  # fmt: skip
@pytest.mark.parametrize("step", [0, 2])
def test_an_edited_number_is_named_with_both_values(
    run: RunFolder, step: int, quantity: str
) -> None:
    rows = run.measurements(step)
    at = next(i for i, row in enumerate(rows) if row.quantity == quantity and row.value)
    forge(run, step, [*rows[:at], altered(rows[at], 1 + 2e-6), *rows[at + 1 :]])
    (one,) = measure_again(run, {}).others
    assert f"step {step}: {quantity}" in one.line
    assert one.stored != one.again
    forge(run, step, [*rows[:at], altered(rows[at], 1 + ROUNDING_GAP / 10), *rows[at + 1 :]])
    assert measure_again(run, {}).others == (), "what rounding may do is no difference"


def test_rows_that_were_added_removed_or_undefined_are_named(run: RunFolder) -> None:
    rows = run.measurements(2)
    forge(run, 2, [row for row in rows if row.quantity != "margin"])
    assert len(measure_again(run, {}).others) == 1
    for extra in ({"layer": ""}, {"specification": "mine"}, {"probe_set": "other"}):
        row = next(row for row in rows if row.quantity == "entanglement_intensity")
        forge(run, 2, [*rows, row.model_copy(update={**extra, "value": 0.0, "reason": None})])
        (one,) = measure_again(run, {}).others
        assert one.again == "nothing"
    at = next(i for i, row in enumerate(rows) if row.quantity == "margin")
    hidden = rows[at].model_copy(update={"value": None, "reason": "of no interest"})
    forge(run, 2, [*rows[:at], hidden, *rows[at + 1 :]])
    assert "none (of no interest)" in measure_again(run, {}).others[0].line


def test_activations_that_are_not_kept_are_told_and_never_passed(run: RunFolder) -> None:
    (run.path / "activations/000002.safetensors").unlink()
    found = measure_again(run, {})
    assert found.others == ()
    assert found.missing == ("step 2: no activations are kept",)


def test_a_checkpoint_that_is_gone_with_its_digest_is_named(run: RunFolder) -> None:
    for name in ("steps/000002.parquet", "activations/000002.safetensors"):
        (run.path / name).unlink()
        marker = json.loads((run.path / "done.json").read_text())
        del marker["files"][name]
        write_json(run.path / "done.json", marker)
        found = measure_again(run, {})
        assert found.missing or len(found.others) > 20, "numbers that are not there, or activations"
    assert found.missing == ("step 2: no activations are kept",)


def test_what_no_marker_lists_is_not_measured(run: RunFolder) -> None:
    for name in ("steps/000003 (copy).parquet", "steps/000009.parquet", "activations/000009.safetensors"):  # fmt: skip
        (run.path / name).write_bytes(b"no file of ours")
    found = measure_again(run, {})
    assert (found.others, found.missing) == ((), ())


def test_a_divergence_excuses_one_number_at_the_last_checkpoint_and_no_other(
    run: RunFolder,
) -> None:
    marker = json.loads((run.path / "done.json").read_text())
    write_json(run.path / "done.json", {**marker, "status": "diverged", "reason": "it grew; kept"})
    for step, quantity, excused in (
        (2, "entanglement_intensity", True),
        (2, "margin", False),
        (0, "entanglement_intensity", False),
    ):
        rows = run.measurements(step)
        at = next(i for i, row in enumerate(rows) if row.quantity == quantity and row.value)
        hidden = rows[at].model_copy(update={"value": None, "reason": "it grew"})
        forge(run, step, [*rows[:at], hidden, *rows[at + 1 :]])
        assert (measure_again(run, {}).others == ()) == excused, (step, quantity)
        forge(run, step, rows)
