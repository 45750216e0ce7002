"""A draft gives every cell of a table back as it is printed, and is believed by nothing until a
person has finished it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.claims.draft import draft
from repro.claims.papers import load_paper
from repro.claims.table import parse_table
from repro.errors import ManifestError

Command = Callable[..., CompletedProcess[str]]
Rows = Sequence[Sequence[str]]


def latex(rows: Rows) -> str:
    """A table as LaTeX writes it, rules and comments around it."""
    lines = [" & ".join(row) + r" \\ % a remark & no cell \\" for row in rows]
    inside = "\n".join([r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"])
    return (
        "% "
        f"\\begin{{tabular}}{{c}}\n\\begin{{tabular}}[t]{{l|{'c' * len(rows[0])}}}\n{inside}\n\\end{{tabular}}\n"
    )


def html(rows: Rows) -> str:
    """A table as HTML writes it; no cell and no row is closed."""
    body = "".join("<tr>" + "".join(f"<td class='x'>{cell}\n" for cell in row) for row in rows[1:])
    return f"<p>text<table><tr>{''.join(f'<th>{name}</th>' for name in rows[0])}</tr>{body}</table>"


def markdown(rows: Rows) -> str:
    """A table as GitHub writes it."""
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return (
        "\n".join(["Words.", "", lines[0], "|" + "---|" * len(rows[0]), *lines[1:], "", "More."])
        + "\n"
    )


NUMBER = st.decimals(-999, 999, places=2).map(str)
SPREAD = st.decimals(0, 9, places=1).map(str)
MARKS = {
    ".tex": [
        r"$%s \pm %s$",
        r"\textbf{%s} $\pm$ %s",
        r"%s$_{\pm %s}$",
        r"\underline{%s}$^{*}$ (%s)",
        r"{%s\%%} \& %s",
    ],
    ".html": [
        "%s &plusmn; %s",
        "<b>%s</b>±%s",
        "%s <sub>±%s</sub>",
        "<span title='a &gt; b'>%s</span> | %s",
    ],
    ".md": ["**%s** ± %s", "<b>%s</b>±%s", "%s | %s", "[%s](https://a.b/c)±%s", "`%s` (%s)"],
}
WRITERS = {".tex": latex, ".html": html, ".md": markdown}


@st.composite
def tables(draw: st.DrawFn, ending: str) -> list[list[str]]:
    width, height = draw(st.integers(2, 5)), draw(st.integers(1, 5))
    cell = st.tuples(st.sampled_from([*MARKS[ending], "%s and %s"]), NUMBER, SPREAD).map(
        lambda it: it[0] % it[1:]
    )
    header = [
        f"Name {i} {draw(st.sampled_from(['BLEU', 'Acc. (top-1)', 'é λ 数']))}"
        for i in range(width)
    ]
    rows = [
        [f"row {i}", *(draw(st.one_of(cell, st.just("-"))) for _ in range(width - 1))]
        for i in range(height)
    ]
    return [header, *rows]


def blocks(folder: Path, ending: str, text: str) -> list[dict[str, Any]]:
    file = folder / f"paper{ending}"
    file.write_text(text)
    found: list[dict[str, Any]] = yaml.safe_load(draft(file)[0])
    return found


def cells(block: dict[str, Any]) -> list[list[str]]:
    header, rows = parse_table(block["table"], "here")
    return [header, *rows]


@pytest.mark.worker
@pytest.mark.parametrize("ending", [".tex", ".html", ".md"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_cell_comes_back_as_it_is_printed(
    ending: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = data.draw(tables(ending))
    (block,) = blocks(tmp_path_factory.mktemp("draft"), ending, WRITERS[ending](rows))
    assert cells(block) == rows
    assert block["draft"], "a draft asks"


SPANS = {
    ".tex": r"""\begin{table}\caption{All of it.}\begin{tabular}{lcc}\hline
        \multirow{2}{*}{Name} & \multicolumn{2}{c}{VLCS} \\ \cmidrule(lr){2-3}
         & C & L \\ \hline
        \multicolumn{3}{l}{\emph{ours}} \\
        \multirow{2}{*}{ERM} & 1.0 & 2.0 \\
         & 3.0 & \begin{tabular}[c]{@{}c@{}}4.0\\(0.1)\end{tabular} \\
        IRM & \multicolumn{2}{c}{\textbf{5.0}} \\ \hline
        \end{tabular}\end{table}""",
    ".html": """<table><caption>All of it.</caption><thead><tr><th rowspan=2>Name<th colspan=2>VLCS
        <tr><th>C<th>L</thead><tr><td colspan="3">ours<tr><td rowspan="2">ERM<td>1.0<td>2.0
        <tr><td>3.0<td><table><tr><td>4.0<td>x<tr><td>y<td>z</table><tr><td>IRM<td colspan='2'>5.0""",
}


@pytest.mark.parametrize("ending", SPANS)
def test_cells_that_span_stand_where_they_reach_and_numbers_once(
    ending: str, tmp_path: Path
) -> None:
    block = blocks(tmp_path, ending, SPANS[ending])[-1]
    header, *rows = cells(block)
    assert header == ["group", "Name", "VLCS / C", "VLCS / L"]
    assert block["columns"]["VLCS / L"] == {"tier": "VLCS", "column": "L"}
    assert [row[1] for row in rows] == ["ERM", "ERM", "IRM"]
    assert [row[2] for row in rows[:2]] == ["1.0", "3.0"]
    assert "4.0" in rows[1][3]
    assert "5.0" in rows[2][2]
    assert rows[2][3] == ""
    asked = "\n".join(block["draft"])
    assert "for several rows or columns" in asked
    assert "ours" in asked
    assert "All of it." in asked


def test_a_header_of_two_rows_is_one_without_saying_so_and_a_span_too_long_moves_nothing(
    tmp_path: Path,
) -> None:
    text = """<table><tr><td rowspan="3">Method<td colspan="2">Knee<tr><td>PSNR↑<td>SSIM↑
        <tr><td>Supervised<td>40.44 ± 3.27<td>0.964 ±0.018<tr><td rowspan=2>ours<td>1.0<td>2.0<tr><td>3.0<td>4.0</table>"""
    (block,) = blocks(tmp_path, ".html", text)
    assert cells(block) == [
        ["Method", "Knee / PSNR↑", "Knee / SSIM↑"], ["Supervised", "40.44 ± 3.27", "0.964 ±0.018"],
        ["ours", "1.0", "2.0"], ["ours", "3.0", "4.0"],
    ]  # fmt: skip


def test_what_only_a_person_can_say_is_asked(tmp_path: Path) -> None:
    rows = [
        ["Model", "C", "Avg"],
        ["ERM", r"$1.0 \pm 0.1$", "1.0"],
        ["IRM", r"\mystery{2}", "2.0/3.0"],
    ]
    (block,) = blocks(tmp_path, ".tex", latex(rows))
    asked = " ".join(block["draft"])
    for words in ("spread:", "Avg: a mean", r"\mystery{2}", "parts:", "quantity:", "measured_by:"):
        assert words in asked
    (plain,) = blocks(tmp_path, ".tex", latex([["Model", "C"], ["ERM", "1.0"]]))
    assert "spread:" not in " ".join(plain["draft"])


PEOPLE = [
    "Julie Miller, Jesse Livezey, Jeremy Simpson",
    "Sven Poths, Céline Feillet, Frederik Bagger",
    "Jee-Hyub Kim, Yoriko Takahashi, Xiaohua Xu",
]


def test_prose_is_no_key_and_labels_are_asked_about(tmp_path: Path) -> None:
    def drafted(column: str, texts: Sequence[str]) -> tuple[dict[str, Any], str]:
        rows = [[name, text, "1.5"] for name, text in zip("ABC", texts, strict=True)]
        source = markdown([["Group", column, "Size"], *rows])
        (block,) = blocks(tmp_path, ".md", source)
        return block, " ".join(block["draft"])

    prose, asked = drafted("Example Names", PEOPLE)
    assert prose["keys"] == {"Group": "group"}
    assert list(prose["ignore"]) == ["Example Names"]
    assert "Example Names: long texts" in asked
    assert "example_names" not in draft(tmp_path / "paper.md")[0].split("- draft")[0]
    for column, texts in (("Family", ["old", "new", "old"]), ("Family", [PEOPLE[0]] * 3)):
        labels, asked = drafted(column, texts)
        assert labels["keys"] == {"Group": "group", "Family": "family"}
        assert "ignore" not in labels
        assert 'Family: labels that tell rows apart, or prose? For prose, ignore: {"Family": "why"}' in asked  # fmt: skip
    (first,) = blocks(tmp_path, ".md", markdown([["Q", "Right"], *([p, "1.5"] for p in PEOPLE)]))
    assert first["keys"] == {"Q": "q"}, "rows need a name"
    assert "prose" not in " ".join(first["draft"])


def test_a_cell_that_holds_no_number_is_told_what_works(tmp_path: Path) -> None:
    rows = [["Country", "CI"], *([name, "(0.5, 0.8)"] for name in "AB"), ["C", "(-Inf, -Inf)"]]
    (block,) = blocks(tmp_path, ".md", markdown(rows))
    words = 'nothing: ["(-Inf, -Inf)"]'
    assert words in " ".join(block.pop("draft"))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "paper.yaml").write_text("id: mine\ntitle: mine\naxes: [country, column]\n")
    said = {**block, "quantity": "score", "unverifiable": "made up"}
    (mine / "tables.yaml").write_text(yaml.safe_dump(said))
    with pytest.raises(ManifestError) as refused:
        load_paper(mine)
    assert f"say `{words}` on the block" in str(refused.value)
    (mine / "tables.yaml").write_text(yaml.safe_dump({**said, **yaml.safe_load(words)}))
    assert len(load_paper(mine).claims) == 4


HOSTILE = {
    "never ends": (".tex", r"\begin{tabular}{ll} a & 1 \\ b & 2"),
    "braces": (".tex", r"\begin{tabular}{ll} a & {1 \\ b & 2 \end{tabular}"),
    "nested macros": (".tex", r"\begin{tabular}{ll} a & " + r"\textbf{" * 3000 + "1" + "}" * 3000 + r"\\ b & 2 \\ \end{tabular}"),
    "a macro of macros": (".tex", r"\def\x{\x\x}\begin{tabular}{ll} a & \x \\ b & \x{\x} \\ \end{tabular}"),
    "wide": (".tex", r"\begin{tabular}{ll} a & \multicolumn{9999}{c}{1} \\ b & \multirow{9999}{*}{2} \\ \end{tabular}"),
    "spans": (".html", "<table>" + "<tr><td colspan=1000 rowspan=65534>1" * 50 + "</table>"),
    "huge spans": (".html", "<table><tr><td>a<td colspan=99999999999999>1<tr><td>b<td rowspan=-5>2"),
    "unclosed": (".html", "<table><tr><th>a<th>b<tr><td>x<td>1<b><i><table><tr><td>"),
    "nested tables": (".html", "<table><tr><td>" * 5000),
    "half a tag": (".html", "<table><tr><td>a<td>1<tr><td>b<td 2<"),
    "a section": (".html", "<table><tr><th>a<th>b<tr><td><![CD x<td>1"),
    "no arguments": (".tex", r"\begin{tabular}{ll} a & b \\ \multicolumn \\ c & 1 \\ \end{tabular}"),
    "ragged": (".md", "|a|b|\n|-|-|\n|x|1|2|3|\n|y|\n"),
    "no table": (".md", "| a\nb |\n"),
    "nothing": (".html", ""),
    "nul": (".md", "|a|b|\n|-|-|\n|x\0|1|\n"),
    "control": (".html", "<table><tr><th>a<th>b<tr><td>x\x07<td>1"),
    "backslash": (".md", "|a|b|\n|-|-|\n|x|1\\\\|\n"),
}  # fmt: skip


REFUSED = {
    "never ends",
    "braces",
    "nested macros",
    "wide",
    "spans",
    "nested tables",
    "no table",
    "nothing",
    "control",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_input_is_one_line_or_a_right_draft(case: str, tmp_path: Path) -> None:
    ending, text = HOSTILE[case]
    if case in REFUSED:
        with pytest.raises(ManifestError) as refused:
            blocks(tmp_path, ending, text)
        assert str(refused.value).startswith(str(tmp_path))
        assert "\n" not in str(refused.value)
        return
    for block in blocks(tmp_path, ending, text):
        header, *rows = cells(block)
        assert all(len(row) == len(header) for row in rows)


@pytest.mark.parametrize(("name", "content", "words"), [
    ("large.tex", b"\\begin{tabular}{l}" + b"a & 1 \\\\\n" * 1_250_000, "larger than 4 MiB"),
    ("latin.tex", "é".encode("latin-1"), "no UTF-8"),
    ("absent.md", None, "cannot be read"),
])  # fmt: skip
def test_a_file_that_is_none_is_one_line(
    repro: Command, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused = repro("claims", "draft", name)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_table_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "two.tex").write_text(
        r"\begin{tabular}{ll} a & {1 \\ b & 2 \end{tabular}" + latex([["a", "b"], ["x", "1"]])
    )
    text, problems = draft(tmp_path / "two.tex")
    assert len(yaml.safe_load(text)) == 1
    assert "line 1" in problems[0]


def test_nothing_of_a_draft_is_believed_until_its_mark_is_removed(
    repro: Command, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "paper.yaml").write_text("id: mine\ntitle: mine\naxes: [model_name, column]\n")
    (tmp_path / "source.md").write_text(
        markdown([["Model name", "C", "Avg"], ["ERM", "1.0", "1.5"]])
    )
    drafted = repro("claims", "draft", "source.md")
    assert drafted.returncode == 0
    (mine / "tables.yaml").write_text(drafted.stdout)
    (tmp_path / "values.csv").write_text("model,condition,seed,step,quantity,value\n")
    for verb in (
        ("audit", "mine"),
        ("verify", "mine"),
        ("judge", "mine", "--values", "values.csv"),
    ):
        refused = repro(*verb)
        assert refused.returncode == 2
        assert "found a draft with" in refused.stderr
        assert refused.stderr.count("\n") == 1
    (block,) = yaml.safe_load(drafted.stdout)
    del block["draft"]
    (mine / "tables.yaml").write_text(yaml.safe_dump(block))
    with pytest.raises(ManifestError, match="neither measured_by nor unverifiable"):
        load_paper(mine)
    (mine / "tables.yaml").write_text(yaml.safe_dump({**block, "unverifiable": "nothing runs it"}))
    with pytest.raises(ManifestError, match="field quantity: missing"):
        load_paper(mine)
    (mine / "tables.yaml").write_text(
        yaml.safe_dump({**block, "quantity": "score", "unverifiable": "nothing runs it"})
    )
    assert {claim.printed for claim in load_paper(mine).claims} == {"1.0", "1.5"}
