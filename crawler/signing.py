"""Signatures of manifests by ``ssh-keygen -Y``: the keys that people have, and no cryptography of our own."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

NAMESPACE = "manifest@presskeep"
"""What the signature is for: OpenSSH takes none that was made for something else."""


class SigningError(ValueError):
    """Nothing can be signed, or no signature checked; the message says why."""


def sign(data: bytes, key: Path) -> bytes:
    """An SSH signature of ``data``. ``key``: private key, or a public one whose private half an agent holds; OpenSSH
    asks for a passphrase itself. Raises SigningError."""
    if not key.is_file():
        raise SigningError(f"{key}: no key is there. To make one: ssh-keygen -t ed25519 -f {key}")
    done = _keygen(["sign", "-f", str(key), "-n", NAMESPACE], data)
    if done.returncode:
        raise SigningError(f"{key}: cannot sign ({_reason(done)})")
    return done.stdout


def signer_of(data: bytes, signature: bytes, signers: Path) -> str:
    """Who signed ``data``, by a file of allowed signers (ssh-keygen(1)); empty where none of them signed it.

    Raises SigningError where the file cannot be read.
    """
    if not signers.is_file():
        raise SigningError(f"{signers}: no file of allowed signers is there. Its lines: NAME KEYTYPE KEY")
    with tempfile.NamedTemporaryFile(suffix=".sig") as file:
        file.write(signature)
        file.flush()
        found = _keygen(["find-principals", "-f", str(signers), "-s", file.name], b"").stdout.decode().splitlines()
        for name in found:
            words = ["verify", "-f", str(signers), "-I", name, "-n", NAMESPACE, "-s", file.name]
            if _keygen(words, data).returncode == 0:
                return name
    return ""


def _keygen(words: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["ssh-keygen", "-Y", *words], input=data, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise SigningError("ssh-keygen is not there: it comes with OpenSSH 8.2 or later") from error


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    return " ".join(done.stderr.decode("utf-8", "replace").split())
