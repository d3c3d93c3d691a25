"""Randomness that is the same in every run."""

import base64
import hashlib
from uuid import UUID

_FIRST_MILLISECOND = 1_795_348_800_000  # 22 November 2026, in Unix time
_VERSION_7 = 7 << 76
_VARIANT = 0b10 << 62


class FakeRandomness:
    """Implements the Entropy port with a counter: distinct, ordered, repeatable.

    `chances` are handed out one after the other; without any left, chance is 0.5.
    """

    def __init__(self, *chances: float) -> None:
        self.chances = list(chances)
        self._count = 0

    def new_id(self) -> UUID:
        count = self._next()
        return UUID(int=(_FIRST_MILLISECOND + count) << 80 | _VERSION_7 | _VARIANT | count)

    def token(self, size: int = 32) -> str:
        raw = hashlib.shake_256(f"token {self._next()}".encode()).digest(size)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def fraction(self) -> float:
        return self.chances.pop(0) if self.chances else 0.5

    def _next(self) -> int:
        self._count += 1
        return self._count
