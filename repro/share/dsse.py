"""Sign and check statements: in-toto's layout in DSSE envelopes, with ed25519 keys.

An envelope (https://github.com/secure-systems-lab/dsse, protocol.md) holds the bytes of a statement
(in-toto Attestation, Statement v1) and signatures over them with their type. Keys are those of
`ssh-keygen -t ed25519` or `openssl genpkey -algorithm ed25519`.
"""

import base64
import hashlib
import importlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from repro.errors import InputError, SetupError

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
_LARGEST_KEY = 1 << 16


class _Known(BaseModel):
    """The part of a record that is read; others may write more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Subject(_Known):
    """A file that a statement is about."""

    name: str
    digest: dict[str, str]


class SignedStatement(_Known):
    """A statement as it is read."""

    subject: tuple[Subject, ...]
    predicateType: str  # noqa: N815  # in-toto's spelling
    predicate: dict[str, Any]


class _Signature(_Known):
    sig: str


class _Envelope(_Known):
    payload: str
    payloadType: str  # noqa: N815  # DSSE's spelling
    signatures: tuple[_Signature, ...]


def read_private(file: Path) -> Any:
    """Return a private ed25519 key. Raises InputError, naming the file; SetupError for a package.

    A key with a passphrase is refused: nothing here asks for one.
    """
    data, ways = _read(file), _package("serialization")
    openssh = b"OPENSSH PRIVATE KEY" in data
    load = ways.load_ssh_private_key if openssh else ways.load_pem_private_key
    expected = "a private one of `ssh-keygen -t ed25519 -N ''`"
    return _loaded(file, partial(load, data, password=None), "Ed25519PrivateKey", expected)


def read_public(file: Path) -> Any:
    """Return a public ed25519 key. Raises InputError, naming the file."""
    data, ways = _read(file), _package("serialization")
    if b"PRIVATE KEY" in data:
        raise InputError(f"{file}: is a private key, expected the public one (FILE.pub)")
    load = ways.load_ssh_public_key if data.startswith(b"ssh-") else ways.load_pem_public_key
    return _loaded(file, partial(load, data), "Ed25519PublicKey", "a line `ssh-ed25519 …`, or PEM")


def _loaded(file: Path, load: Callable[[], Any], kind: str, expected: str) -> Any:
    """Return a key of a kind. Raises InputError for what is none, and for one of another kind."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        key = load()
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
    ):  # the package's words help nobody who is not its author
        raise InputError(f"{file}: found no key that can be read, expected {expected}") from None
    if not isinstance(key, getattr(_package("ed25519"), kind)):
        raise InputError(f"{file}: found a key of another kind, expected {expected}")
    return key


def key_name(public: Any) -> str:
    """Return a key's name: the sha256 of its 32 bytes."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()


def sign(statement: bytes, key: Any) -> bytes:
    """Return the envelope of a statement."""
    signature = {
        "keyid": key_name(key.public_key()),
        "sig": base64.b64encode(key.sign(signed_bytes(PAYLOAD, statement))).decode(),
    }
    content = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": PAYLOAD,
        "signatures": [signature],
    }
    return (json.dumps(content) + "\n").encode()


def checked_statement(envelope: bytes, public: Any) -> SignedStatement | None:
    """Return the statement of an envelope; None for one that this key did not sign.

    What the envelope says of the key is not believed: each signature is tried.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        found = _Envelope.model_validate_json(envelope)
        body = base64.b64decode(found.payload, validate=True)
        signatures = [base64.b64decode(one.sig, validate=True) for one in found.signatures]
    except (ValidationError, ValueError):
        return None
    for signature in signatures if found.payloadType == PAYLOAD else ():
        try:
            public.verify(signature, signed_bytes(found.payloadType, body))
            if json.loads(body).get("_type") == STATEMENT:
                return SignedStatement.model_validate_json(body)
        except (InvalidSignature, ValidationError, ValueError, AttributeError):
            continue
    return None


def signed_bytes(kind: str, body: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding of a type and a body."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(body), body)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as content:
            return content.read(_LARGEST_KEY)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); expected a key") from None


def _package(name: str) -> Any:
    """Return a module of the package cryptography. Raises SetupError without it."""
    part = "asymmetric.ed25519" if name == "ed25519" else name
    try:
        return importlib.import_module(f"cryptography.hazmat.primitives.{part}")
    except ImportError:
        raise SetupError(
            "the package cryptography is not installed; pip install 'repro-harness[sign]'"
        ) from None
