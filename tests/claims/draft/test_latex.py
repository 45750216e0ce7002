"""Tables of a LaTeX source: every cell's characters, no comment, and what is no LaTeX told."""

import pytest

from repro.claims.draft.grid import DraftTable
from repro.claims.draft.latex import latex_tables


def only(text: str) -> DraftTable:
    """Return the only table of a source."""
    found = latex_tables(text)
    assert found.problems == []
    (table,) = found.tables
    return table


def texts(table: DraftTable) -> list[list[str]]:
    """Return the characters at every place."""
    return [[place.text for place in row] for row in table.rows]


BODY = r"a & b \\ \midrule x & $0.6 \pm 0.1$ \\ y & 2\,000 \\"
PLAIN = [["a", "b"], ["x", r"$0.6 \pm 0.1$"], ["y", r"2\,000"]]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (r"\begin{tabular}{lc}", r"\end{tabular}"),
        (r"\begin{tabular}[t]{l|@{\hspace{1pt}}c}", r"\end{tabular}"),
        (r"\begin{tabular*}{\textwidth}{lc}", r"\end{tabular*}"),
        (r"\begin{tabularx}{0.5\linewidth}{lX}", r"\end{tabularx}"),
        (r"\begin{longtable}{lc}", r"\end{longtable}"),
    ],
)
def test_the_columns_of_a_table_are_no_cell_of_it(begin: str, end: str) -> None:
    table = only(f"{begin}{BODY}{end}")
    assert texts(table) == PLAIN
    assert table.headers == 1


@pytest.mark.parametrize(
    "body",
    [
        "% a & comment \\\\\n" + BODY,
        BODY.replace("x &", "x % no & cell \\\\ \n&"),
        r"\toprule " + BODY + r" \bottomrule",
        BODY.replace(r"\midrule", r"\cmidrule(lr){1-2}\hline"),
        BODY.replace(r"x &", r"\rowcolor{gray} x &"),
        BODY.replace(r"\\ y", r"\tabularnewline[2pt] y"),
        BODY.replace(r"\\ y", r"\\[2pt] y"),
    ],
)
def test_comments_rules_and_colours_are_no_cells(body: str) -> None:
    assert texts(only(rf"\begin{{tabular}}{{lc}}{body}\end{{tabular}}")) == PLAIN


def test_escaped_signs_part_no_cells() -> None:
    table = only(r"\begin{tabular}{lc} a \& b & 48.2\% \\ {x & y} & 1 \\ \end{tabular}")
    assert texts(table) == [[r"a \& b", r"48.2\%"], ["{x & y}", "1"]]


def test_spans_reach_right_and_down_and_may_be_nested() -> None:
    table = only(
        r"\begin{tabular}{lcc} Name & \multicolumn{2}{c}{Set} \\ \hline "
        r"\multirow{2}{*}{x} & \multicolumn{1}{c}{\multirow{2}{*}{\textbf{5.0}}} & 2 \\ & & 4 \\ "
        r"\end{tabular}"
    )
    assert texts(table) == [
        ["Name", "Set", "Set"],
        ["x", r"\textbf{5.0}", "2"],
        ["x", r"\textbf{5.0}", "4"],
    ]
    assert [place.copied for place in table.rows[2]] == [True, True, False]


def test_a_table_knows_its_line_and_the_caption_of_what_is_around_it() -> None:
    table = only(
        "\n\\begin{table}\\caption[short]{All {of}\n it.}\n\\begin{tabular}{lc}"
        + BODY
        + "\\end{tabular}\\end{table}"
    )
    assert (table.line, table.caption) == (4, "All {of} it.")
    assert only(rf"\begin{{tabular}}{{lc}}{BODY}\end{{tabular}}").caption == ""


def test_rows_above_the_first_rule_between_rows_are_headers() -> None:
    table = only(r"\begin{tabular}{l} a \\ b \\ \hline 1 \\ 2 \\ \end{tabular}")
    assert table.headers == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"\begin{tabular}{l} a \\ 1", r"line 1: a table never ends (\end{tabular} is missing)"),
        (
            "\n\\begin{tabular}{l} a \\\\ {1 \\end{tabular}",
            "line 2: a table is no LaTeX that can be read",
        ),
        (
            r"\begin{tabular}{l} " + "a & b " * 70_000 + r"\end{tabular}",
            "more than 400,000 characters",
        ),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_line(text: str, words: str) -> None:
    found = latex_tables(text)
    assert found.tables == []
    assert words in found.problems[0]
