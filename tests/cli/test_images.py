"""`repro images` as a user meets it: one way at a time, and an engine that does not answer."""

from pathlib import Path

import pytest

from repro.cli import main, parser

Said = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--moved", "--relock"), "--relock: found with --moved, expected alone or with --twice"),
        (("--pull", "--pool", "x"), "--pool: found with --pull, expected where something is built"),
    ],
)
def test_ways_that_do_not_go_together_are_refused(
    words: tuple[str, ...], line: str, capsys: Said
) -> None:
    assert main(["images", "cpu", *words]) == 2
    assert line in capsys.readouterr().err


@pytest.mark.parametrize("ways", [["--twice", "--moved"], ["--push", "a", "--pull"]])
def test_two_ways_at_once_are_refused_with_usage(ways: list[str], capsys: Said) -> None:
    with pytest.raises(SystemExit) as end:
        main(["images", "cpu", *ways])
    assert end.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.parametrize("way", [[], ["--twice"], ["--pull"], ["--save", "f"], ["--load", "f"]])
def test_an_engine_that_does_not_answer_is_one_line_whatever_is_asked(
    way: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Said
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'nobody.sock'}")
    monkeypatch.chdir(tmp_path)
    assert main(["images", *way]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("repro images: ")
    assert not (tmp_path / "f").exists()


def test_a_pull_without_a_reference_is_of_what_was_pushed_last() -> None:
    assert parser().parse_args(["images", "cuda", "--pull"]).pull == ""
    assert parser().parse_args(["images", "cuda", "--pull", "a/b"]).pull == "a/b"
    plain = parser().parse_args(["images"])
    assert (plain.name, plain.pull) == ("cpu", None)
