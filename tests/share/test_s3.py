"""What S3 answers when nothing can be had there is one line."""

import os

import pytest

from repro.errors import SetupError
from repro.share.shelf import open_shelf

pytest.importorskip("obstore")
needs_server = pytest.mark.skipif(
    "REPRO_TEST_S3" not in os.environ, reason="no S3 server: run the tests by ci/s3.sh"
)


@needs_server
@pytest.mark.parametrize(
    ("bucket", "changes", "words"),
    [("none", {}, "NoSuchBucket"), ("tests", {"AWS_SECRET_ACCESS_KEY": "x"}, "SignatureDoesNotMatch")],
)  # fmt: skip
def test_a_wrong_bucket_or_key_is_one_line(
    monkeypatch: pytest.MonkeyPatch, bucket: str, changes: dict[str, str], words: str
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SetupError, match=words), open_shelf(f"s3://{bucket}/x", new=True):
        pass


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "repro.share.s3", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(SetupError, match=r"repro-harness\[travel\]"), open_shelf("s3://bucket"):
        pass
