"""A vault without keys, for commands that touch no sealed value."""

from typing import NoReturn

from domain.errors import SealedValueUnreadable
from domain.secret import Secret


class ClosedVault:
    """Implements the Vault port by refusing: neither seals nor opens anything."""

    def seal(self, secret: Secret, bound_to: str) -> NoReturn:  # noqa: ARG002 - the port's
        """Refuse: a value that cannot be opened again must not be stored."""
        raise _closed()

    def open(self, sealed: str, bound_to: str) -> NoReturn:  # noqa: ARG002 - the port's
        raise _closed()


def _closed() -> SealedValueUnreadable:
    return SealedValueUnreadable("This command runs without TOKEN_ENCRYPTION_KEYS.")
