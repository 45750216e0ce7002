"""`repro measure`, end to end: the contract's keys and the same numbers as the slow way, in a
readable table.
"""

import json

import numpy as np
import pytest

from repro.cli import main
from repro.geometry.labels import Labels
from repro.geometry.undefined import Undefined
from repro.measure import measure, record

KEYS = {
    "entanglement_intensity", "entanglement_intensity_ci", "v_purity", "accuracy", "rank", "singular_values", "own",
    "damage", "accuracy_after", "chance", "margin", "weakest_concept", "theory", "theory_measured_rank",
    "activation_rms", "null", "scale_sweep", "specification", "similarity", "undefined",
}  # fmt: skip


CONTEXT = {"entanglement_intensity_ci", "null", "scale_sweep", "specification"}


def measured(capsys, arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def brute(helper):
    """The slow definitions, written separately."""
    return helper("geometry/brute_force.py")


@pytest.mark.parametrize("seed", range(4))
def test_planted_sets_measure_as_a_brute_force_script_says(
    files, capsys, brute, seed, planted
) -> None:
    X, columns = planted(seed)
    found = measured(capsys, [*files(X, columns), "--quick"])
    accuracy, U, own, D, gap = brute.damage(X, list(columns.values()))
    assert gap > 1e-8
    assert list(found["accuracy"].values()) == pytest.approx(accuracy)
    assert found["own"] == [list(columns)[j] for j in own]
    assert found["rank"] == U.shape[1] == 8
    np.testing.assert_allclose(found["damage"], D, atol=1e-12)
    np.testing.assert_allclose(np.array(found["accuracy_after"]), accuracy - D, atol=1e-12)
    assert found["entanglement_intensity"] == pytest.approx(brute.intensity(D, own))


def drawn(seed):
    """A random set: 2 to 6 concepts of 2 to 4 classes, unbalanced, n below or above d, either
    float, far off or not.
    """
    rng = np.random.default_rng(seed)
    n, d, concepts = int(rng.integers(12, 30)), int(rng.integers(3, 45)), 2 + seed % 5
    X, columns = rng.normal(size=(n, d)), {}
    for j in range(concepts):
        m = int(rng.integers(2, 5))
        codes = rng.permutation(
            [*range(m), *range(m), *rng.choice(m, n - 2 * m, p=rng.dirichlet([3.0] * m))]
        )
        X += rng.uniform(0.3, 1.5) * rng.normal(size=(m, d))[codes]
        columns[f"concept {j}"] = [f"class {c}" for c in codes]
    X = X * 10.0 ** rng.integers(-1, 2) + 1e6 * (seed % 3 == 0)
    return X.astype(np.float32 if seed % 2 else np.float64), columns


@pytest.mark.worker
def test_random_sets_measure_as_a_brute_force_script_says_in_any_order(
    files, capsys, brute
) -> None:
    """Each set is given twice, the second time with its probes and concepts in another order."""
    compared = 0
    for seed in range(40):
        X, columns = drawn(seed)
        about_the_first = X.astype(float) - X[0].astype(float)
        accuracy, U, own, D, gap = brute.damage(about_the_first, list(columns.values()))
        if gap <= 1e-8:
            continue
        order = np.random.default_rng(seed).permutation(len(X))
        turned = {name: [columns[name][i] for i in order] for name in reversed(columns)}
        for found in (
            measured(capsys, [*files(X, columns), "--quick"]),
            measured(capsys, [*files(X[order], turned), "--quick"]),
        ):
            assert [found["accuracy"][name] for name in columns] == pytest.approx(accuracy)
            assert found["rank"] == U.shape[1]
            assert found["own"] == [list(columns)[j] for j in own]
            places = [list(found["accuracy"]).index(name) for name in columns]
            np.testing.assert_allclose(np.array(found["damage"])[:, places], D, atol=1e-12)
            assert found["entanglement_intensity"] == pytest.approx(brute.intensity(D, own))
        compared += 1
    assert compared >= 30


@pytest.mark.worker
def test_the_record_has_exactly_the_keys_of_the_contract(files, capsys, planted) -> None:
    found = measured(capsys, files(*planted(0)))
    assert set(found) == KEYS
    low, high = found["entanglement_intensity_ci"]
    assert low < high
    assert set(found["null"]) == {"joint", "within_domain", "planted"}
    assert all(
        set(null) == {"draws", "undefined", "q025", "median", "q975", "p"}
        for null in found["null"].values()
    )
    assert all(null["draws"] == 1000 for null in found["null"].values())
    assert all(
        set(point) == {"scale", "ei", "v_purity", "sigma_1", "accuracy"}
        for point in found["scale_sweep"]
    )
    assert found["specification"]["count"] == len(found["specification"]["readings"]) == 160
    assert sum(found["specification"]["share"].values()) == pytest.approx(
        1 - found["specification"]["undefined"] / 160
    )
    assert found["theory"] == found["theory_measured_rank"] == pytest.approx(5 / 3)
    assert found["similarity"]["concept"] == "domain"
    assert found["undefined"] == {}


def test_quick_leaves_out_interval_null_sweep_and_specification(files, capsys, planted) -> None:
    found = measured(capsys, [*files(*planted(0)), "--quick"])
    assert set(found) == KEYS - CONTEXT


@pytest.mark.worker
def test_the_same_input_gives_the_same_record(files, capsys, planted) -> None:
    arguments = files(*planted(1))
    assert measured(capsys, arguments) == measured(capsys, arguments)


def test_an_undefined_quantity_carries_its_reason_and_no_number(files, capsys, planted) -> None:
    """Pure noise with one direction that damages nothing of its own."""
    X, columns = planted(0, strengths=(0, 0, 0), d=1)
    found = measured(capsys, [*files(1e-9 * X, columns), "--quick"])
    assert found["entanglement_intensity"] is None
    assert "own concept" in found["undefined"]["entanglement_intensity"]


@pytest.mark.worker
def test_the_table_shows_the_scale_sweep_and_the_nulls_unasked(files, capsys, planted) -> None:
    assert main(files(*planted(2))) == 0
    out = capsys.readouterr().out
    for words in (
        "entanglement intensity",
        "Scale alone takes EI from",
        "within_domain",
        "by ρ: 0.001: ",
        "coder-32b",
        "by construction",
    ):
        assert words in out


def test_float32_activations_with_an_offset_are_measured(files, capsys, planted) -> None:
    X, columns = planted(3)
    one = measured(capsys, [*files(X.astype(np.float32), columns), "--quick"])
    far = measured(capsys, [*files((X + 1e6), columns), "--quick"])
    assert far["damage"] == one["damage"]


def test_square_brackets_and_colons_in_names_are_shown_as_they_are(files, capsys, planted) -> None:
    X, columns = planted(0)
    domain, register, shape = columns.values()
    named = {
        "[/bold]x": [f"[red]{name}" for name in domain],
        "domain [v2]": register,
        ":dog:": shape,
    }
    assert main([*files(X, columns), "--quick"]) == 0, (
        "the control: the same numbers under plain names"
    )
    plain = capsys.readouterr().out
    assert main([*files(X, named), "--quick"]) == 0
    out = capsys.readouterr().out
    for words in (
        "[/bold]x",
        "domain [v2]",
        ":dog:",
        "[red]code – [red]math",
        "Similarity of [/bold]x classes",
    ):
        assert words in out
        assert words not in plain


@pytest.mark.worker
@pytest.mark.parametrize("scale", [1e-140, 1e-100, 1e77, 1e100, 1e150])
def test_activations_of_any_scale_are_measured_and_what_scale_cannot_move_stays(
    scale, planted
) -> None:
    """A penalty in proportion to the activations as they are gives the same EI at every scale."""
    X, columns = planted(0, d=60)
    labels = Labels.of(columns)
    one, other = (measure(Z, labels, draws=20, null_draws=20) for Z in (X, scale * X))
    assert other.geometry.rank == one.geometry.rank
    assert other.geometry.activation_rms == pytest.approx(scale * one.geometry.activation_rms)
    for quick in (False, True):
        json.dumps(record(measure(scale * X, labels, quick, 20, 20)), allow_nan=False)
    same = [
        (a.value, b.value)
        for a, b in zip(one.context.readings, other.context.readings, strict=True)
        if a.specification.alpha.startswith("relative")
    ]
    assert len(same) == 128
    assert all(b == pytest.approx(a) for a, b in same)
    assert isinstance(other.context.null["planted"].median, Undefined) == (scale < 1)
    moved = [r.value for r in other.context.readings if r.specification.alpha == "absolute"]
    assert moved != [
        r.value for r in one.context.readings if r.specification.alpha == "absolute"
    ], "the control"


@pytest.mark.worker
def test_a_single_concept_is_told_that_there_is_none_to_damage(files, capsys, planted) -> None:
    X, columns = planted(0)
    assert main(files(X, {"domain": columns["domain"]})) == 0
    out = capsys.readouterr().out
    assert "there is no other to damage" in out
    for title in (
        "EI when nothing is there",
        "Scale sweep",
        "readings of the definition",
        "bootstrap",
    ):
        assert title not in out
    assert main([*files(X, {"domain": columns["domain"]}), "--quick", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["entanglement_intensity"] == 0
    assert "there is no other to damage" in printed.err
    assert main([*files(X, columns), "--quick", "--json"]) == 0
    assert capsys.readouterr().err == "", "the control: several concepts need no note"


@pytest.mark.worker
def test_the_readings_of_the_table_are_those_of_the_record(files, capsys, planted) -> None:
    arguments = files(*planted(2))
    found = measured(capsys, arguments)["specification"]
    assert main(arguments) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for name in ("minimum", "median", "maximum"):
        assert f"{name} of EI {found[name]:.3g}" in lines
    assert f"undefined {found['undefined'] / found['count']:.1%}" in lines
    for switch in ("removal", "directions", "centring", "clip", "own", "alpha"):
        line = next(line for line in lines if line.startswith(f"{switch}: "))
        for value in {reading[switch] for reading in found["readings"]}:
            under = [r["entanglement_intensity"] for r in found["readings"] if r[switch] == value]
            assert f"{value} {np.median([ei for ei in under if ei is not None]):.3g}" in line
