"""Everything random: identities, secrets, jitter."""

from typing import Protocol
from uuid import UUID


class Randomness(Protocol):
    """A source of unguessable values and of random fractions."""

    def new_id(self) -> UUID:
        """Return a new UUID version 7 (RFC 9562): sortable by time, opaque to callers."""
        ...

    def token(self, size: int = 32) -> str:
        """Return a URL-safe text of `size` random bytes from the system's secure source."""
        ...

    def fraction(self) -> float:
        """Return a random number in [0, 1), for jitter only."""
        ...
