"""The rights of an API key."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Final

from domain.errors import InvalidInput


class KeyScope(StrEnum):
    """One right of an API key; a key has one or several."""

    APP = "app"
    """Act for users, and read for them."""
    READ = "read"
    """Read for users."""
    OPERATOR = "operator"
    """Look at all users, and repair."""
    ERASE = "erase"
    """Erase invitees and users."""


ALL: Final = frozenset(KeyScope)
"""The scopes of a key that was made before keys had scopes."""


def networks_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return networks (`10.0.0.0/8`, `2001:db8::/32`, one address) in their canonical form.

    Raises:
        InvalidInput: one of them is not a network.

    """
    try:
        return tuple(str(ip_network(text.strip())) for text in texts)
    except ValueError:
        raise InvalidInput(
            "A network is written as 10.0.0.0/8 or 2001:db8::/32, without host bits."
        ) from None


def is_within(address: str | None, networks: Sequence[str]) -> bool:
    """Return whether a client's address is in one of the networks; without any, always.

    An IPv4 address that a socket of both kinds shows as `::ffff:10.0.0.1` counts as IPv4.
    """
    if not networks:
        return True
    try:
        client = ip_address(address or "")
    except ValueError:
        return False
    client = getattr(client, "ipv4_mapped", None) or client
    return any(client in ip_network(network) for network in networks)
