"""Typography is taken off, and no digit is lost or joined to another."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.printed.clean import clean


@pytest.mark.parametrize(
    ("printed", "plain"),
    [
        (r"\textbf{0.641}", "0.641"),
        (r"\textbf{\underline{0.641}}", "0.641"),
        ("$0.641$", "0.641"),
        ("**0.641**", "0.641"),
        ("<b>0.641</b>", "0.641"),
        ("0.641†", "0.641"),
        ("0.641*", "0.641"),
        ("[0.641](https://a.b/c)", "0.641"),
        (r"\textcolor{red}{0.641}", "0.641"),
        ("−0.5", "-0.5"),
        ("－０．５", "-0.5"),
        ("10\u202f000", "10'000"),
        (r"10\,000", "10'000"),
        ("½", "\\frac(1|2)"),
        (r"\frac{1}{3}", "\\frac(1|3)"),
        (r"$0.5_{\pm 0.1}$", "0.5 ± 0.1"),
        ("0.5 +/- 0.1", "0.5 ± 0.1"),
        ("0.5 plus or minus 0.1", "0.5 ± 0.1"),
        ("0.5&plusmn;0.1", "0.5±0.1"),
        ("2.5 × 10⁻⁴", "2.5 × 10^{-4}"),
        (r"2.5 \times 10^{-4}", "2.5 × 10^{-4}"),
        ("2.5*10**-4", "2.5×10^-4"),
        ("87.5<sup>a</sup>", "87.5"),
        (r"$0.5^{+0.2}_{-0.1}$", "0.5 (+0.2/-0.1)"),
        (r"$0.5_{-0.1}^{+0.2}$", "0.5 (+0.2/-0.1)"),
        (r"48.2\%", "48.2%"),
        (r"$\leq 0.05$", "≤ 0.05"),
        ("a  b\n c", "a b c"),
    ],
)
def test_what_decorates_goes_and_what_means_something_stays(printed: str, plain: str) -> None:
    assert clean(printed) == plain


@pytest.mark.parametrize("printed", ["1_000", "1**5", "1<b>5", "1$5", "1{5}", "1\u200b5", "1†5"])
def test_a_mark_between_digits_leaves_a_sign_that_nothing_reads(printed: str) -> None:
    assert "\ufffd" in clean(printed)


def test_an_unknown_command_stays_to_be_refused_where_it_is_read() -> None:
    assert clean(r"\mystery{2}") == r"\mystery2"


WRAPS = ("{}", "**{}**", "${}$", r"\textbf{{{}}}", "<i>{}</i>", r"{}\,", "{}*", r"\num{{{}}}")


@given(
    st.lists(st.sampled_from(WRAPS), max_size=3),
    st.decimals(0, 10**5, places=3, allow_nan=False).map(str),
)
def test_the_digits_of_a_wrapped_number_come_back_as_they_are(
    wraps: list[str], number: str
) -> None:
    printed = number
    for wrap in wraps:
        printed = wrap.format(printed)
    assert clean(printed) == number
    assert clean(clean(printed)) == clean(printed)


@given(st.text("0123456789.,±×()[]/% ^{}$*_eE~−†", max_size=14))
def test_no_digit_is_lost_or_added(printed: str) -> None:
    assert re.findall(r"\d", clean(printed)) == re.findall(r"\d", printed)
