"""Seeds that are missing: of the paper's, of its manifest's, of the sender's own other rows."""

from dataclasses import replace

from repro.claims.papers import find_paper
from repro.supply.seeds import missing_seeds, same_seeds
from repro.verify.evidence.values import SuppliedValue

CLAIMS = find_paper("laptop").claims


def value(
    seed: int, quantity: str, line: int, number: float = 0.5, step: int = 40
) -> SuppliedValue:
    return SuppliedValue(
        "smollm2-135m", "B3", seed, step, quantity, number, place=f"v.csv: line {line}"
    )


def test_the_manifests_seeds_are_expected() -> None:
    [told] = missing_seeds([value(0, "heldout_loss", 9)], CLAIMS)
    assert told == (
        "v.csv: line 9: smollm2-135m, B3: found seed 0, seed 1 missing; the paper has seeds 0, 1; "
        "send the missing"
    )
    both = [value(0, "heldout_loss", 9), value(1, "heldout_loss", 10)]
    assert not [*missing_seeds(both, CLAIMS)]


def test_a_cell_without_a_seed_that_others_have_is_told_once_a_step() -> None:
    sent = [value(seed, "heldout_loss", 2 + seed) for seed in (0, 1)]
    sent += [value(0, name, 12) for name in ("accuracy", "margin")]
    [told] = missing_seeds(sent, CLAIMS)
    assert told.startswith("v.csv: line 12 and 1 more: smollm2-135m, B3, step 40: seed 1 missing")
    assert "of accuracy, margin, which other values have; send them" in told


def test_the_concept_of_a_cell_that_lacks_a_seed_is_named() -> None:
    sent = [value(seed, "margin", 2 + seed) for seed in (0, 1)]
    sent += [replace(value(0, "accuracy", 4), concept="domain"), value(1, "accuracy", 5)]
    first, second = missing_seeds(sent, CLAIMS)
    assert "line 4: smollm2-135m, B3, step 40: seed 1 missing of accuracy (domain), which" in first
    assert "line 5: smollm2-135m, B3, step 40: seed 0 missing of accuracy, which" in second


def test_a_printed_number_of_seeds_is_expected() -> None:
    claims = find_paper("consolidated").claims
    sent = [
        SuppliedValue(
            "qwen2.5-coder-32b", "B3", seed, 5000, "entanglement_intensity", 0.0, place="v"
        )
        for seed in range(3)
    ]
    told = " ".join(missing_seeds(sent, claims))
    assert "seeds 3, 4, 5, 6, 7 missing" in told


def test_the_base_model_has_no_seeds() -> None:
    assert not [*missing_seeds([value(0, "accuracy", 2, step=0)], CLAIMS)]


def test_a_copied_seed_is_told_and_one_that_differs_somewhere_is_not() -> None:
    names = ("accuracy", "margin", "heldout_loss")
    sent = [value(seed, name, 2 + 3 * seed + i) for seed in (0, 1) for i, name in enumerate(names)]
    [told] = same_seeds(sent)
    assert told.startswith("v.csv: line 5: smollm2-135m, B3: all 3 values of seed 1 equal")
    assert told.endswith(": send each seed's own")
    assert not [*same_seeds([*sent[:-1], value(1, "heldout_loss", 7, 0.6)])]


def test_seeds_that_are_only_stated_beside_files_of_others_are_told() -> None:
    sent = [value(seed, "heldout_loss", 2 + seed) for seed in (0, 1)]
    file = SuppliedValue("smollm2-135m", "B3", 0, 40, "activations", 0.0, place="files.csv: line 2")
    [told] = missing_seeds([*sent, file], CLAIMS)
    assert told == (
        "files.csv: line 2: smollm2-135m, B3: no activations of seed 1, whose values are only stated; "
        "send these too"
    )
    other = SuppliedValue(
        "smollm2-135m", "B3", 1, 40, "activations", 0.0, place="files.csv: line 3"
    )
    assert not [*missing_seeds([*sent, file, other], CLAIMS)]
