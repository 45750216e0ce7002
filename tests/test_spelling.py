"""Labels that stand for none: whatever pandas reads as missing, in any case, and nothing that only
begins so.
"""

import pandas as pd
import pytest

from repro.spelling import is_missing


def test_what_pandas_reads_as_missing_is_missing() -> None:
    """Against pandas itself, which reads a file of these words; the last line is the positive
    control.
    """
    from io import StringIO

    words = [
        "NA",
        "<NA>",
        "N/A",
        "#N/A",
        "NULL",
        "NaN",
        "-nan",
        "None",
        "1.#IND",
        "n/a",
        "null",
        "nan",
        "#NA",
    ]
    read = pd.read_csv(StringIO("kind\n" + "\n".join([*words, "code"]) + "\n"))["kind"]
    assert read.isna().tolist() == [is_missing(word) for word in [*words, "code"]]


@pytest.mark.parametrize("word", ["Nando", "nap", "nonexistent", "0", "no", "-"])
def test_a_word_that_only_begins_so_is_a_label(word: str) -> None:
    assert not is_missing(word)
