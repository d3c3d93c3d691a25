"""How often a key, a user and an address may call one process.

Each process counts for itself. Deliveries of webhooks are not counted: what limits them is the
group that stores them, and a refused one costs less than its count would.

Guesses of keys and of the cron secret are limited by the client's address. The address is the one
that uvicorn's trusted proxies report. While an address is refused, a key that was good in this
process before goes on working from there. That gives no chance to a guess, because a key has 256
random bits. For the cron secret, which a person chose, there is no such exception.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, cast
from uuid import UUID

from litestar import Litestar
from litestar.connection import ASGIConnection

from adapters.settings import Settings
from adapters.web.http.refusals import REFUSED
from adapters.web.http.token_buckets import TokenBuckets
from application.security.hashing import digest
from domain.errors import ApiKeyInvalid, KeyNetworkRefused, RateLimited

BURST: Final = 2.0
"""Seconds of a key's or a user's rate that may come at the same time."""

_MINUTE: Final = 60.0
_MOST_GOOD: Final = 10_000

Connection = ASGIConnection[Any, Any, Any, Any]


class RateLimits:
    """The limits of one process. No method waits."""

    def __init__(self, settings: Settings) -> None:
        per_key, per_user = settings.rate_per_key, settings.rate_per_user
        self._keys = TokenBuckets(per_key, per_key * BURST)
        self._users = TokenBuckets(per_user, per_user * BURST)
        refused = settings.rate_refused
        self._refused = TokenBuckets(refused / _MINUTE, refused)
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def check_address(self, address: str | None, key_hash: bytes | None = None) -> None:
        """Let an address try credentials.

        Args:
            address: of the client, as trusted proxies report it.
            key_hash: of the API key that it sends.

        Raises:
            RateLimited: too many of its requests were refused, and the key was not good before.

        """
        wait = self._refused.wait(network_of(address))
        if wait and key_hash not in self._good:
            raise _limited("address", self._refused, wait, window=timedelta(minutes=1))

    def refuse(self, address: str | None) -> None:
        """Count refused credentials."""
        self._refused.take(network_of(address))

    def accept(self, key_hash: bytes) -> None:
        """Remember that a key is good."""
        self._good[key_hash] = None
        if len(self._good) > _MOST_GOOD:
            self._good.popitem(last=False)

    def admit(self, key_id: UUID, user: bytes | None) -> None:
        """Count a call of a key, for one of its users (as X-User-Id) or for none.

        Raises RateLimited.
        """
        if exceeded := self._exceeded(key_id, user):
            raise _limited(*exceeded)

    def admits(self, key_id: UUID, user: bytes) -> bool:
        """Count a call as `admit` does; False if it is too much, which the route then reports."""
        return self._exceeded(key_id, user) is None

    def _exceeded(
        self, key_id: UUID, user: bytes | None
    ) -> tuple[str, TokenBuckets, float] | None:
        """Count a call; return the limit that it meets, its buckets, and the seconds to wait."""
        if user is not None and (wait := self._users.take((key_id, user))):
            return "user", self._users, wait
        if wait := self._keys.take(key_id):
            return "key", self._keys, wait
        return None


@contextmanager
def limited(connection: Connection, key: str | None, address: str | None) -> Iterator[RateLimits]:
    """Limit the guesses of an address while a key is checked, and remember a good one.

    Raises:
        RateLimited: too many credentials from this address were refused.

    """
    limits, key_hash = rate_limits_of(connection.app), digest(key or "")
    limits.check_address(address, key_hash)
    try:
        yield limits
    except (ApiKeyInvalid, KeyNetworkRefused):
        limits.refuse(address)
        raise
    limits.accept(key_hash)


def rate_limits_of(app: Litestar) -> RateLimits:
    return cast(RateLimits, app.state.rate_limits)


def network_of(address: str | None) -> str:
    """Return an IPv4 address, or the /64 of an IPv6 address, which one customer has as a whole."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return parsed.exploded[:19]


def _limited(
    policy: str, buckets: TokenBuckets, wait: float, *, window: timedelta = timedelta(seconds=1)
) -> RateLimited:
    REFUSED.labels(f"rate_{policy}").inc()
    quota = round(buckets.rate * window.total_seconds())
    return RateLimited(
        f"Too many requests of this {policy}: {quota} in {window.total_seconds():g} s are allowed.",
        retry_after=wait,
        policy=policy,
        quota=quota,
        window=window,
    )
