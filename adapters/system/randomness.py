"""The system's secure source of randomness. The only place where random values are made."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7


class SystemRandomness:
    """Implements the Entropy port."""

    def __init__(self) -> None:
        self._random = secrets.SystemRandom()

    def new_id(self) -> UUID:
        """Return a new UUID version 7 (RFC 9562)."""
        return uuid7()

    def token(self, size: int = 32) -> str:
        """Return a URL-safe text (base64url without padding) of `size` random bytes."""
        return secrets.token_urlsafe(size)

    def fraction(self) -> float:
        """Return a random number in [0, 1)."""
        return self._random.random()
