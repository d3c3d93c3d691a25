"""The keys of the vault as they are written in a configuration."""

import base64
import binascii
import re

KEY_BYTES = 32  # AES-256
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def decode_key(text: str) -> bytes:
    """Return the 32 bytes that a key's base64 (standard or URL-safe alphabet, padded or not) spells.

    Raises:
        ValueError: it is not base64, or not of 32 bytes; the message quotes nothing of it.

    """
    standard = text.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"is {len(key)} bytes long, not {KEY_BYTES}")
    return key
