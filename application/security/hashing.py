"""One-way digests of what must be recognised but not stored."""

import base64
import hashlib


def digest(text: str) -> bytes:
    """Return the SHA-256 of a text (32 bytes), for secrets of full entropy only."""
    return hashlib.sha256(text.encode()).digest()


def pkce_challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(digest(verifier)).rstrip(b"=").decode()
