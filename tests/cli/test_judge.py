"""`repro judge`: a paper of one's own on values of one's own, from outside."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from repro.cli import main

PAPER = "id: mine\ntitle: A paper of one's own\n"
CLAIMS = """
locator: Abstract
measured_by: my_runs
quantity: score
model: big
condition: tuned
step: 100
statements:
  - says: "the score falls from 0.945 to 0.641 ± 0.050 (8 seeds)"
    claims:
      - {printed: "0.641 ± 0.050"}
      - {printed: "0.945", step: 0, statistic: mean}
      - {printed: "8", statistic: count}
      - {printed: "falls", statistic: below, of: mean, against: {step: 0}}
"""
HEADER = "model,condition,seed,step,quantity,value"
TRUE = [0.641, 0.660, 0.600, 0.700]


def paper(folder: Path, claims: str = CLAIMS) -> Path:
    made = folder / "mine"
    made.mkdir(exist_ok=True)
    (made / "paper.yaml").write_text(PAPER)
    (made / "claims.yaml").write_text(claims)
    return made


def table(folder: Path, after: list[float], *more: str) -> Path:
    rows = [f"big,tuned,{seed},100,score,{value}" for seed, value in enumerate(after)]
    made = folder / "values.csv"
    made.write_text("\n".join([HEADER, "big,,,0,score,0.945", *rows, *more]) + "\n")
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = main(["judge", *map(str, arguments), "--json"])
    said = capsys.readouterr()
    assert said.out, said.err
    return code, json.loads(said.out)


def test_values_of_ones_own_judge_a_paper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, content = run(capsys, paper(tmp_path), "--values", table(tmp_path, TRUE))
    found = {claim["printed"] + claim["kind"]: claim for claim in content["claims"]}
    mean, falls = found["0.641 ± 0.050seed_mean"], found["fallsordering"]
    assert (code, mean["outcome"], falls["outcome"]) == (0, "reproduced", "reproduced")
    assert mean["grade"] == "supplied"
    assert mean["n"] == 4
    assert 0.5 < mean["could_tell"]["reproduced_if_true"] < 1
    assert mean["could_tell"]["contradicted_if_absent"] > 0.95
    assert mean["could_tell"]["runs_a_side"] > 4
    assert content["counts"]["measured"]["reproduced"] == 2


def test_the_opposite_is_contradicted_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, content = run(
        capsys, paper(tmp_path), "--values", table(tmp_path, [0.94, 0.95, 0.93, 0.96])
    )
    assert code == 1
    assert content["claims"][0]["outcome"] == "contradicted"


def test_a_claim_without_values_is_not_run_and_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    further = CLAIMS + '  - {says: "another", model: small, claims: [{printed: "0.500 ± 0.050"}]}\n'
    code, content = run(capsys, paper(tmp_path, further), "--values", table(tmp_path, TRUE))
    assert code == 3
    assert content["claims"][-1]["outcome"] == "not_run"


def test_a_paper_that_no_manifest_measures_is_judged_on_values_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on those of a manifest; what has no value stays what the paper's folder says of it."""
    nobody = CLAIMS.replace("measured_by: my_runs", "unverifiable: no manifest here does this")
    further = '  - {says: "another", model: small, claims: [{printed: "0.500 ± 0.050"}]}\n'
    values = table(tmp_path, TRUE)
    _, by_manifest = run(capsys, paper(tmp_path), "--values", values)
    code, content = run(capsys, paper(tmp_path, nobody + further), "--values", values)
    kept = ("id", "outcome", "grade", "estimate", "low", "high", "p")
    measured = [claim for claim in by_manifest["claims"] if claim["basis"] == "measured"]
    same = {claim["id"]: claim for claim in content["claims"]}
    assert len(measured) == 4
    for claim in measured:
        assert [same[claim["id"]][key] for key in kept] == [claim[key] for key in kept]
    assert code == 0, "nothing waits for a run of ours"
    assert content["claims"][-1]["outcome"] == "unverifiable"
    assert content["claims"][-1]["reason"] == "no manifest here does this"


def test_what_no_run_decides_is_not_asked_of_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A standard error is one of so many seeds, theirs."""
    nobody = CLAIMS.replace("measured_by: my_runs", "unverifiable: nobody\nspread: se")
    _, content = run(capsys, paper(tmp_path, nobody), "--values", table(tmp_path, TRUE))
    outcomes = {claim["id"].split("/")[-1]: claim["outcome"] for claim in content["claims"]}
    assert outcomes["mean-0.641-+--0.050"] == "reproduced"
    assert outcomes["se-0.641-+--0.050"] == "unverifiable"


def test_the_screen_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", str(paper(tmp_path)), "--values", str(table(tmp_path, TRUE))]) == 0
    screen = capsys.readouterr().out
    assert "on values of your own" in screen
    assert "authors" not in screen
    assert "reproduced" in screen
    assert "`--all` lists every claim" in screen
    assert "repro explain" not in screen, "it knows the store, not these values"


def test_a_count_is_told_its_problems_and_a_concept_its_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = """
locator: Table 1
measured_by: my_runs
model: big
condition: tuned
step: 100
statements:
  - {says: "solves 60/164", quantity: humaneval_plus, claims: [{printed: "60/164"}]}
  - {says: "tense 0.90 ± 0.02", quantity: accuracy, concept: tense,
     claims: [{printed: "0.90 ± 0.02"}, {printed: "3", statistic: count}]}
"""
    rows = [f"big,tuned,{s},100,humaneval_plus,{v},,164" for s, v in enumerate([58, 66, 61, 63])]
    rows += [f"big,tuned,{s},100,accuracy,{v},tense,480" for s, v in enumerate([0.9, 0.91, 0.89])]
    values = tmp_path / "values.csv"
    values.write_text("\n".join([HEADER + ",concept,n", *rows]) + "\n")
    code, content = run(capsys, paper(tmp_path, claims), "--values", values)
    estimates = [claim["estimate"] for claim in content["claims"] if claim["basis"] == "measured"]
    assert code == 0
    assert estimates[:2] == pytest.approx([62, 0.9])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("model,condition\n", "column seed: missing"),
        (HEADER + "\n", "no value"),
        (HEADER + ",colour\nbig,tuned,0,100,score,0.5,red\n", "'colour': unknown"),
        (
            HEADER + ",colour\nbig,tuned,0,100,score,0.5,red\n",
            "an axis of the paper's own stands under `axes:`",
        ),
        (HEADER + "\nbig,tuned,0,,score,0.5\n", "column step: empty; expected 0 for a base model"),
        (HEADER + "\nbig,tuned,0,100,score\n", "line 2: found 5 cells"),
        (HEADER + "\nbig,tuned,0,100,score,high\n", "line 2: column value: found 'high'"),
        (HEADER + "\nbig,tuned,0,100,score,nan\n", "expected a finite number"),
        (HEADER + "\nbig,tuned,-1,100,score,0.5\n", "column seed"),
        (HEADER + "\nbig,tuned,0,1.5,score,0.5\n", "column step"),
        (HEADER + "\n,tuned,0,100,score,0.5\n", "column model: empty"),
        (HEADER + "\nbig,,0,100,score,0.5\n", "column condition: empty"),
        (
            HEADER + "\nbig,tuned,0,100,score,0.5\nbig,tuned,0,100,score,0.6\n",
            "the same cell as line 2",
        ),
        (HEADER + ",model\nbig,tuned,0,100,score,0.5,big\n", "found twice"),
        (HEADER + '\nbig,"tuned,0,100,score,0.5\n', "not a CSV file"),
    ],
)
def test_values_that_cannot_be_read_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    values = tmp_path / "values.csv"
    values.write_text(text)
    assert main(["judge", str(paper(tmp_path)), "--values", str(values)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("values", ["nowhere.csv", "."])
def test_a_file_that_is_none_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], values: str
) -> None:
    assert main(["judge", str(paper(tmp_path)), "--values", str(tmp_path / values)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_paper_that_is_not_known_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", "no-such-paper", "--values", str(table(tmp_path, TRUE))]) == 2
    assert "no such paper; known are" in capsys.readouterr().err


OWN = """
locator: Table 1
unverifiable: no manifest here trains it
quantity: score
algorithm: ERM
statements:
  - says: "0.641 ± 0.050 and 0.9 of IRM"
    claims: [{printed: "0.641 ± 0.050"}, {printed: "0.9", algorithm: IRM}]
"""


def test_the_papers_own_axes_are_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = paper(tmp_path, OWN)
    (folder / "paper.yaml").write_text(PAPER + "axes: [algorithm]\n")
    values = tmp_path / "values.csv"
    rows = [f"ERM,{seed},score,{value}" for seed, value in enumerate(TRUE)]
    values.write_text("\n".join(["algorithm,seed,quantity,value", *rows]) + "\n")
    code, content = run(capsys, folder, "--values", values)
    mean, sd, other = content["claims"]
    assert (code, other["outcome"]) == (0, "unverifiable")  # nothing was given of IRM
    assert (mean["estimate"], mean["n"]) == (pytest.approx(np.mean(TRUE)), 4)
    assert sd["estimate"] == pytest.approx(np.std(TRUE, ddof=1))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            "bigg,tuned,0,100,score,0.5",
            "line 2: model 'bigg': no claim of mine speaks of it; nearest is big",
        ),
        ("big,tuned,0,100,scores,0.5", "line 2: quantity 'scores'"),
        ("big,tunned,0,100,score,0.5", "line 2: condition 'tunned'"),
        ("big,tuned,0,99,score,0.5", "line 2: no claim of mine speaks of this cell"),
    ],
)
def test_values_of_which_no_claim_speaks_are_refused_with_what_is_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, words: str
) -> None:
    values = tmp_path / "values.csv"
    values.write_text(f"{HEADER}\n{row}\n")
    assert main(["judge", str(paper(tmp_path)), "--values", str(values)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_line_of_which_no_claim_speaks_is_told_beside_the_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = table(tmp_path, TRUE, "small,tuned,0,100,score,0.5")
    assert main(["judge", str(paper(tmp_path)), "--values", str(values)]) == 0
    said = capsys.readouterr()
    assert "line 7: model 'small': no claim of mine speaks of it" in said.err
    assert "reproduced" in said.out


# whole papers

CELLS = [
    ("a", 0.9, 0.5, 0.06),
    ("b", 0.8, 0.3, 0.05),
    ("c", 0.7, 0.65, 0.05),
    ("d", 0.6, 0.6, 0.04),
]
RUNS = 8


def written(rng: np.random.Generator, folder: Path, *, absent: bool) -> tuple[Path, Path]:
    """A paper of four cells, whose first is its headline, and our runs; `absent`: the first cell
    never left its start.
    """
    blocks, rows = [], []
    for place, (model, start, mean, sd) in enumerate(CELLS):
        theirs = rng.normal(mean, sd, RUNS)
        change = f"{100 * (theirs.mean() / start - 1):+.0f}%".replace("-", "−")
        claims = [
            {"printed": f"{theirs.mean():.3f} ± {theirs.std(ddof=1):.3f}"},
            {"printed": f"{start:.3f}", "step": 0, "statistic": "mean"},
            {"printed": str(RUNS), "statistic": "count"},
            {
                "printed": change,
                "statistic": "relative_change",
                "of": "mean",
                "against": {"step": 0},
            },
            *({"printed": f"{value:.3f}", "seed": seed} for seed, value in enumerate(theirs)),
        ]
        blocks.append({"locator": f"Table {place + 1}", "measured_by": "my_runs", "quantity": "score", "model": model,
                       "condition": "tuned", "step": 100, "headline": place == 0,
                       "statements": [{"says": "a row", "claims": claims}]})  # fmt: skip
        ours = rng.normal(start if absent and place == 0 else mean, sd, RUNS)
        rows += [
            [model, "", "", 0, "score", start],
            *([model, "tuned", s, 100, "score", v] for s, v in enumerate(ours)),
        ]
    made = folder / "mine"
    made.mkdir(exist_ok=True)
    (made / "paper.yaml").write_text(PAPER)
    (made / "claims.yaml").write_text(json.dumps(blocks))  # JSON is YAML
    with (folder / "values.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER.split(","), *rows])
    return made, folder / "values.csv"


@pytest.mark.worker
@pytest.mark.parametrize(("absent", "least", "most"), [(False, 0, 8), (True, 80, 100)])
def test_of_a_hundred_papers_few_true_ones_and_most_untrue_ones_end_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], absent: bool, least: int, most: int
) -> None:
    rng = np.random.default_rng(20)
    codes = []
    for _ in range(100):
        folder, values = written(rng, tmp_path, absent=absent)
        codes.append(main(["judge", str(folder), "--values", str(values)]))
    capsys.readouterr()
    assert least <= codes.count(1) <= most
    assert set(codes) <= {0, 1}
