"""Key files as ssh-keygen writes them, where it need not be installed."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization as ways
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key


def write_pair(file: Path, kind: str = "ed25519", password: bytes = b"") -> None:
    """Write a private key, and the public one beside it (.pub)."""
    key: Ed25519PrivateKey | RSAPrivateKey = (
        Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, 2048)
    )
    closed = ways.BestAvailableEncryption(password) if password else ways.NoEncryption()
    file.write_bytes(key.private_bytes(ways.Encoding.PEM, ways.PrivateFormat.OpenSSH, closed))
    public = key.public_key().public_bytes(ways.Encoding.OpenSSH, ways.PublicFormat.OpenSSH)
    file.with_name(f"{file.name}.pub").write_bytes(public + b"\n")
