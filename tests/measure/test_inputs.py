"""What `repro measure` cannot measure ends in one clear line."""

from pathlib import Path

import numpy as np
import pytest

from repro.cli import main
from repro.errors import InputError
from repro.measure import alike, read_activations, read_labels, usable_labels


def refused(capsys, arguments):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    return printed.err


def spoilt(X):
    """Bad activations and the words their refusal must hold."""
    nan, constant = X.copy(), X.copy()
    nan[3, 4] = np.nan
    constant[:, 7] = 2.5
    return {
        "nan": (nan, "1 of 48 probes are not finite"),
        "constant": (constant, "1 of 40 features are constant"),
        "rows": (X[:47], "48 rows of labels, but the activations have 47"),
        "cube": (X[None], "shape (1, 48, 40)"),
        "huge": (X * 1e200, "overflow"),
        "minute": (X * 1e-200, "their squares are lost"),
        "complex": (X + 0j, "real numbers"),
        "copies": (
            np.repeat(1e8 * np.tile(X[::2], 3), 2, axis=0),
            "drop probes with the activations of another",
        ),
        "text": (X.astype(str), "real numbers"),
    }


@pytest.mark.parametrize(
    "kind", ["nan", "constant", "rows", "cube", "huge", "minute", "complex", "copies", "text"]
)
def test_activations_that_cannot_be_measured_are_refused_in_one_line(
    files, capsys, kind, planted
) -> None:
    X, columns = planted(0)
    bad, words = spoilt(X)[kind]
    assert words in refused(capsys, files(bad, columns))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c | {"domain": ["code"] * 48}, "concept 'domain' has one class"),
        (
            lambda c: c | {"shape": ["odd", *c["shape"][1:]]},
            "class 'odd' of concept 'shape' has 1 probe",
        ),
        (lambda c: c | {"shape": ["", *c["shape"][1:]]}, "line 2 has no label for 'shape'"),
        (lambda c: c | {"": c["shape"]}, "concept name of its own"),
    ],
)
def test_labels_that_cannot_be_used_are_refused_in_one_line(
    files, capsys, change, words, planted
) -> None:
    X, columns = planted(0)
    assert words in refused(capsys, files(X, change(columns)))


def test_a_wrong_key_names_the_keys_found(files, capsys, planted) -> None:
    X, columns = planted(0)
    assert "keys are ['hidden']; expected 'activations'" in refused(
        capsys, files(X, columns, key="hidden")
    )


def test_missing_and_foreign_files_are_refused_in_one_line(
    files, capsys, tmp_path, planted
) -> None:
    good = files(*planted(0))
    junk = tmp_path / "junk"
    junk.write_bytes(b"\xff\xfe not a matrix")
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, activations=np.array([{}], dtype=object))
    for path, words in [
        (tmp_path / "none.npz", "no such file"),
        (junk, "not an npz file"),
        (pickled, "cannot be read"),
    ]:
        assert words in refused(capsys, [*good[:2], str(path), *good[3:]])
    for path, words in [(tmp_path / "none.csv", "no such file"), (junk, "cannot be read as csv")]:
        assert words in refused(capsys, [*good[:4], str(path)])
    junk.write_text("")
    assert "empty" in refused(capsys, [*good[:4], str(junk)])
    junk.write_text("domain,shape\ncode,causal\nmath\n" + "code,causal\n" * 46)
    assert "line 3 has 1 fields" in refused(capsys, [*good[:4], str(junk)])


@pytest.mark.parametrize("mark", [";", "\t"])
def test_labels_parted_by_another_mark_are_not_one_concept(
    files, capsys, tmp_path, mark, planted
) -> None:
    arguments = files(*planted(0))
    assert main([*arguments, "--quick"]) == 0, "the control: commas"
    capsys.readouterr()
    text = (tmp_path / "l.csv").read_text()
    (tmp_path / "l.csv").write_text(text.replace(",", mark))
    error = refused(capsys, [*arguments, "--quick"])
    assert str(tmp_path / "l.csv") in error
    assert "expected columns separated by commas" in error


@pytest.mark.worker
def test_fewer_features_than_probes_beside_which_the_penalty_overflows_are_refused_in_one_line(
    files, capsys, planted
) -> None:
    X, columns = planted(0)
    assert main([*files(1e10 * X, columns), "--quick"]) == 0
    assert main([*files(1e100 * X, columns), "--quick"]) == 0
    capsys.readouterr()
    assert "Rescale them" in refused(capsys, files(1e100 * X, columns))


@pytest.mark.parametrize(
    "word", ["nan", "NaN", "NA", "<NA>", "None", "N/A", "null", "n.a.", "#N/A", "-NaN"]
)
def test_a_label_that_stands_for_none_is_refused(tmp_path: Path, word: str) -> None:
    """A class of its own would raise the rank and move every number; a name that begins so is one."""
    path = tmp_path / "l.csv"
    path.write_text("sex\n" + "f\nm\n" * 3 + f"{word}\nNavajo\n")
    with pytest.raises(
        InputError, match=rf"line 8 has '{word}' for 'sex', which reads as a missing label"
    ):
        read_labels(path, 8)
    path.write_text("sex\n" + "f\nm\n" * 3 + "Navajo\nNavajo\n")
    assert read_labels(path, 8).classes == (("Navajo", "f", "m"),)


def test_activations_that_are_the_bits_of_bfloat16_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    rows = np.random.default_rng(0).standard_normal((8, 5)).astype(np.float32)
    for order in ("<u2", ">u2"):
        np.savez(path, activations=(rows.view(np.uint32) >> 16).astype(order))
        with pytest.raises(InputError, match="are they the bits of bfloat16"):
            read_activations(path)
    np.savez(path, activations=rows)
    assert read_activations(path).shape == (8, 5)


def test_classes_that_look_alike_are_told(tmp_path: Path) -> None:
    """Two Unicode forms, a character without width, two spellings of a number; accents and cases
    are different classes.
    """
    path = tmp_path / "l.csv"
    alike_labels = ["café", "cafe\u0301", "a\u200bb", "ab", "1", "1.0"]
    other = ["cafe", "Ab"]
    path.write_text("kind\n" + "\n".join(2 * (alike_labels + other)) + "\n", encoding="utf-8")
    told = alike(read_labels(path, 16))
    assert len(told) == 3
    assert all("look alike and are counted apart" in line for line in told)
    path.write_text("kind\n" + "\n".join(2 * other) + "\n", encoding="utf-8")
    assert alike(read_labels(path, 4)) == []


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["a", "b", "a"], "has 3 labels, but the activations have 4 rows"),
        (["a", "b", "n/a", "b"], "probe 2: found 'n/a', which reads as a missing label"),
        (["a", "b", None, "b"], "probe 2: found 'None'"),
        (["a", "b", "b", "b"], "class 'a' of concept 'x' has 1 probe"),
        (["a", "a", "a", "a"], "has one class"),
    ],
)
def test_labels_in_memory_are_refused_as_those_of_a_file(column: list[object], words: str) -> None:
    with pytest.raises(InputError, match=r"one|label|class") as error:
        usable_labels({"x": column}, 4)
    assert words in str(error.value)
    assert usable_labels({"x": ["a", 1, "a", 1]}, 4).n == 4
