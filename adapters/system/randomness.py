"""The system's secure source of randomness. The only place where random values are made."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7


class SystemRandomness:
    def __init__(self) -> None:
        self._random = secrets.SystemRandom()

    def new_id(self) -> UUID:
        return uuid7()

    def token(self, size: int = 32) -> str:
        return secrets.token_urlsafe(size)

    def fraction(self) -> float:
        return self._random.random()
