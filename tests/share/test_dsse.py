"""Envelopes and keys: an independent program takes the signatures, and what is no envelope counts
for nothing.
"""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from repro.errors import InputError, ReproError
from repro.share.dsse import (
    PAYLOAD,
    checked_statement,
    key_name,
    read_private,
    read_public,
    sign,
    signed_bytes,
)

pytest.importorskip("cryptography")


def test_openssl_verifies_what_was_signed(keys: Path, tmp_path: Path) -> None:
    """An independent program takes the signature over the bytes that DSSE's protocol names."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    from cryptography.hazmat.primitives import serialization

    public = read_public(keys / "mine.pub")
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "public.pem").write_bytes(pem)
    envelope = json.loads(sign(b'{"a": 1}', read_private(keys / "mine")))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    for body, code in ((b'{"a": 1}', 0), (b'{"a": 2}', 1)):
        kind = b"application/vnd.in-toto+json"
        said = b"DSSEv1 28 " + kind + b" 8 " + body
        assert said == signed_bytes(PAYLOAD, body)
        (tmp_path / "said").write_bytes(said)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(tmp_path / "public.pem"),
                   "-rawin", "-in", str(tmp_path / "said"), "-sigfile", str(tmp_path / "signature")]  # fmt: skip
        assert subprocess.run(command, capture_output=True, check=False).returncode == code
    assert read_public(tmp_path / "public.pem").public_bytes_raw() == public.public_bytes_raw()
    assert key_name(public) == envelope["signatures"][0]["keyid"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b'{"payload": "!", "payloadType": "x", "signatures": []}',
     b'{"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AA=="}]}'],
)  # fmt: skip
def test_what_is_no_envelope_covers_nothing(content: bytes, keys: Path) -> None:
    assert checked_statement(content, read_public(keys / "mine.pub")) is None


def test_a_statement_of_another_type_covers_nothing(keys: Path) -> None:
    key, public = read_private(keys / "mine"), read_public(keys / "mine.pub")
    body = {"_type": "other", "subject": [], "predicateType": "x", "predicate": {}}
    assert checked_statement(sign(json.dumps(body).encode(), key), public) is None
    body["_type"] = "https://in-toto.io/Statement/v1"
    assert checked_statement(sign(json.dumps(body).encode(), key), public), "the control"


def test_a_wrong_key_is_one_line(tmp_path: Path, helper: Callable[[str], ModuleType]) -> None:
    write_pair = helper("share/key_files.py").write_pair
    write_pair(tmp_path / "rsa", "rsa")
    write_pair(tmp_path / "locked", password=b"secret")
    (tmp_path / "none").write_text("words")
    (tmp_path / "dss").write_text("ssh-dss AAAAB3NzaC1kc3MAAACBAAAA someone\n")
    for file in ("none", "rsa", "locked", "absent", "rsa.pub"):
        with pytest.raises(InputError, match=file):
            read_private(tmp_path / file)
    for file in ("none", "rsa.pub", "absent", "locked", "dss"):
        with pytest.raises(InputError, match=file):
            read_public(tmp_path / file)


def test_without_the_package_one_line_says_what_to_install(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization", None)
    with pytest.raises(ReproError, match=r"repro-harness\[sign\]"):
        read_private(keys / "mine")
