"""A token pair's life: when it is due, and what each outcome of a refresh means.

Calendly's refresh tokens are single-use: a successful refresh ends the old token, so a lost answer
is a lost grant. Every rule here follows from that.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from domain.errors import CalendlyThrottled
from domain.secret import Secret

# Calendly names access tokens two hours; anything outside this is an answer we do not trust.
SHORTEST_LIFE = timedelta(seconds=60)
LONGEST_LIFE = timedelta(days=31)


# The proactive refresh skips a pair this new, at any horizon. Otherwise a
# run would find its own refreshes due again, and never end.
LEFT_ALONE_FOR = timedelta(minutes=30)

# One token request with its whole answer ends within this; a lease has to outlast it.
REQUEST_DEADLINE = timedelta(seconds=30)

# Calendly: "only 8 OAuth tokens per user can be requested within 1 minute".
TOKEN_REQUESTS = 8
TOKEN_WINDOW = timedelta(minutes=1)


class TokenPair:
    """The token endpoint's answer, in the clear. Never stored, never encoded.

    Args:
        access: bearer token for the API.
        refresh: single-use token for the next pair.
        expires_at: when the access token dies (UTC).
        scopes: what was really granted, which may be less than was asked for.
        owner_uri: the Calendly user.
        organization_uri: the user's current organization.
        rotated: whether the answer brought a refresh token; else it is the one that was sent.

    """

    __slots__ = (
        "access",
        "expires_at",
        "organization_uri",
        "owner_uri",
        "refresh",
        "rotated",
        "scopes",
    )

    def __init__(
        self,
        *,
        access: Secret,
        refresh: Secret,
        expires_at: datetime,
        scopes: tuple[str, ...],
        owner_uri: str,
        organization_uri: str,
        rotated: bool = True,
    ) -> None:
        self.access = access
        self.refresh = refresh
        self.expires_at = expires_at
        self.scopes = scopes
        self.owner_uri = owner_uri
        self.organization_uri = organization_uri
        self.rotated = rotated


class Access(NamedTuple):
    """The needs of an API call: the bearer token, and the user whose rate limit it counts against."""

    token: Secret
    user_uri: str


class SealedTokens(msgspec.Struct, frozen=True):
    """A token pair as it is stored in the database and, in an emergency, in heartbeat details.

    Args:
        access: sealed access token.
        refresh: sealed refresh token.
        expires_at: when the access token dies (UTC).
        version: counts exchanges; a new pair is committed only over the version it came from.

    """

    access: str
    refresh: str
    expires_at: datetime
    version: int


def life(expires_in: int) -> timedelta:
    """Bound the life Calendly states (seconds) to what is believable.

    Too short a life would make every call refresh, too long a one would never refresh.
    """
    # Bounded as a number: a life too long for a timedelta must not cost the pair it came with.
    shortest, longest = (int(each.total_seconds()) for each in (SHORTEST_LIFE, LONGEST_LIFE))
    return timedelta(seconds=min(max(expires_in, shortest), longest))


LEGACY_SCOPE = "default"
REQUIRED_SCOPES = (
    "users:read",
    "organizations:read",
    "event_types:read",
    "availability:read",
    "scheduled_events:write",
    "webhooks:write",
)
OPTIONAL_SCOPES = ("scheduling_links:write",)
"""Requested, but not required: the one call that needs them raises ScopeMissing itself."""
REQUESTED_SCOPES = REQUIRED_SCOPES + OPTIONAL_SCOPES


def parse_scopes(text: str | None) -> tuple[str, ...]:
    """Split Calendly's space-separated scope list; absent means a legacy app's full access."""
    return tuple(sorted(set((text or "").split()))) or (LEGACY_SCOPE,)


def missing_scopes(
    granted: tuple[str, ...], needed: tuple[str, ...] = REQUIRED_SCOPES
) -> tuple[str, ...]:
    """Return the needed scopes that were not granted; `:write` includes `:read` (Calendly: scopes)."""
    if LEGACY_SCOPE in granted:
        return ()
    held = set(granted) | {
        scope.removesuffix(":write") + ":read" for scope in granted if scope.endswith(":write")
    }
    return tuple(scope for scope in needed if scope not in held)


def outlasts_request(until: datetime, now: datetime) -> bool:
    """Whether a lease that ends at `until` covers a request that leaves now (UTC)."""
    return now + REQUEST_DEADLINE <= until


def requests_used_up(wait: timedelta) -> CalendlyThrottled:
    """Return the error for a user whose token requests are used up for so long."""
    return CalendlyThrottled(
        "This user's token requests of the last minute reached Calendly's limit.",
        retry_after=wait.total_seconds(),
    )
