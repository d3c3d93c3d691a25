"""The secrets of one local stack: made once, kept in its home, readable by its owner only.

They are valid for this stack only. The encryption key must stay with the database: without it
the tokens stored there cannot be read again.
"""

import base64
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from adapters.local_stack.errors import LocalStackError
from adapters.local_stack.processes.private_file import write_private


@dataclass(frozen=True, slots=True)
class Credentials:
    """`api_key` is None until the service has made one."""

    calendly_client_id: str
    calendly_client_secret: str = field(repr=False)
    calendly_signing_key: str = field(repr=False)
    cron_secret: str = field(repr=False)
    token_encryption_keys: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)


def load_credentials(file: Path) -> Credentials:
    """Read *file*, or make new credentials and write them to it.

    Raises `LocalStackError` if the file cannot be decoded.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        credentials = _new_credentials()
        save_credentials(file, credentials)
        return credentials
    try:
        return msgspec.json.decode(content, type=Credentials)
    except msgspec.DecodeError as error:
        # From None: the decoder's message may quote the file.
        raise LocalStackError(_unreadable(file, type(error).__name__)) from None


def save_credentials(file: Path, credentials: Credentials) -> None:
    write_private(file, msgspec.json.format(msgspec.json.encode(credentials)).decode())


def _new_credentials() -> Credentials:
    encryption_key = base64.b64encode(secrets.token_bytes(32)).decode()
    return Credentials(
        calendly_client_id=f"local-{secrets.token_hex(8)}",
        calendly_client_secret=secrets.token_urlsafe(32),
        calendly_signing_key=secrets.token_urlsafe(32),
        cron_secret=secrets.token_urlsafe(32),
        token_encryption_keys=f"local-1:{encryption_key}",
    )


def _unreadable(file: Path, reason: str) -> str:
    return (
        f"{file} cannot be read ({reason}). It holds the key of the stored tokens: put it back, "
        f"or remove {file.parent} to start with an empty stack."
    )
