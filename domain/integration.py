"""Integration: one user's link to Calendly, and its status machine.

    active ──refused──▶ reauth_required ──connect | asked again──▶ active
    active | reauth_required ──disconnect──▶ disconnecting ──erased──▶ (row gone)

Only a refusal by Calendly leads to `reauth_required`; an outage never does. After a refusal the
tokens serve no call but stay sealed. The job asks again a few times before it erases them.
RFC 6749, 5.2 uses the same code for a grant that belongs to another client.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from domain.circuit_breaker import CLOSED, Breaker
from domain.errors import ClientRefused, IntegrationNotFound, ReauthRequired
from domain.ids import IntegrationId, UserId
from domain.redacted_repr import RedactedRepr
from domain.token import SealedTokens, missing_scopes

# How long after its start a refresh may still be under way in a process that was slowed down:
# the request's deadline of 30 s, and twice as long again for storing the outcome.
REFRESH_OPEN_FOR = timedelta(seconds=90)


class Status(StrEnum):
    """The status of an integration."""

    ACTIVE = "active"
    REAUTH_REQUIRED = "reauth_required"
    DISCONNECTING = "disconnecting"


class Cause(StrEnum):
    """Why a person is needed."""

    GRANT_REFUSED = "grant_refused"
    REFRESH_OUTCOME_LOST = "refresh_outcome_lost"
    OWNER_CHANGED = "owner_changed"


class Account(RedactedRepr, msgspec.Struct, frozen=True):
    """The Calendly account behind an integration, as Calendly described it."""

    shown = ("user_uri",)
    user_uri: str
    organization_uri: str
    name: str
    email: str
    timezone: str
    scheduling_url: str


class Attention(msgspec.Struct, frozen=True):
    """The reason a person is needed, and since when (UTC)."""

    cause: Cause
    since: datetime


class Recovery(msgspec.Struct, frozen=True):
    """That a grant which needed a person is alive again: what it suffered from, and since when.

    Args:
        cause: why a person had been needed.
        at: when it came back (UTC).

    """

    cause: Cause
    at: datetime


class Subscription(msgspec.Struct, frozen=True):
    """The webhook subscription that belongs to an integration.

    Args:
        key: the opaque last part of its callback URL.
        uri: Calendly's name for it, or None while it is not created yet.
        state: Calendly's `state`, `active` or `disabled`, when last seen.
        healthy_at: when it was last seen to be good, its deliveries succeeding (UTC).

    """

    key: str
    uri: str | None = None
    state: str | None = None
    healthy_at: datetime | None = None


class Gap(msgspec.Struct, frozen=True):
    """A time in which Calendly may have given up on deliveries: both ends in UTC.

    Args:
        since: when the subscription was last seen to be good.
        until: when a new one was in its place.

    """

    since: datetime
    until: datetime

    def joined(self, other: "Gap | None") -> "Gap":
        """Return the shortest gap that covers both."""
        if other is None:
            return self
        return Gap(since=min(self.since, other.since), until=max(self.until, other.until))


class Lease(msgspec.Struct, frozen=True):
    """The exclusive lease of one process on the refresh of one integration.

    Args:
        owner: who holds it.
        fence: grows with each taking; a finisher with an older number changes nothing.
        expires_at: when another process may take it over (UTC).
        disconnecting: taken to end the grant, not to keep it alive.

    """

    owner: str
    fence: int
    expires_at: datetime
    disconnecting: bool = False


class Integration(msgspec.Struct, frozen=True):
    """One user's link to Calendly.

    Args:
        exchange_started_at: set before a refresh request leaves and cleared when its outcome is
            known. Found set, it means that the stored refresh token may be spent (UTC).
        breaker: the refresh breaker of this integration.
        recovery: the last time it came back from `reauth_required`, if ever.
        calls_paused_until: Calendly asked this user's calls to rest until then (UTC).
        gap: when deliveries may have been lost that no comparison has made up for yet.
        subscribed_since: when its first webhook subscription was made (UTC); None before that.
        client_id: the client that the grant was given to; None while that is unknown.
        refused_at: when Calendly first refused the present grant (UTC); None after a new pair.
        refusals: how often Calendly refused the present grant since the last new pair.
        exchange_unanswered: no pair came for the open exchange, as far as its process knows. Not
            set, a process may have a new pair that it could not store yet.
        error_since: since when `last_error_code` is what it is (UTC).
        scopes_missing_since: since when the granted scopes are less than is needed (UTC).
        repaired_count: bookings that comparisons found wrong so far: webhooks that were lost.
        last_repaired_at: when the last of them was put right (UTC).
        reconcile_from: the start time (UTC) at which an unfinished comparison goes on.
        reconcile_error: why the latest comparison did not end, or what it passed over, as a code.

    """

    id: IntegrationId
    user_id: UserId
    status: Status
    account: Account
    scopes: tuple[str, ...]
    connected_at: datetime
    tokens: SealedTokens | None = None
    breaker: Breaker = CLOSED
    subscription: Subscription | None = None
    attention: Attention | None = None
    exchange_started_at: datetime | None = None
    last_refreshed_at: datetime | None = None
    last_synced_at: datetime | None = None
    last_error_code: str | None = None
    reconciled_at: datetime | None = None
    recovery: Recovery | None = None
    calls_paused_until: datetime | None = None
    gap: Gap | None = None
    repaired_count: int = 0
    last_repaired_at: datetime | None = None
    subscribed_since: datetime | None = None
    reconcile_from: datetime | None = None
    reconcile_error: str | None = None
    client_id: str | None = None
    refused_at: datetime | None = None
    refusals: int = 0
    exchange_unanswered: bool = False
    error_since: datetime | None = None
    scopes_missing_since: datetime | None = None


def with_error(integration: Integration, code: str | None, now: datetime) -> Integration:
    """The integration with an error that operators see; the same one keeps its first time."""
    since = integration.error_since if code == integration.last_error_code else None
    return msgspec.structs.replace(
        integration, last_error_code=code, error_since=None if code is None else since or now
    )


def is_foreign(integration: Integration, client_id: str) -> bool:
    """Whether the grant was given to another client than `client_id`; unknown counts as ours."""
    return integration.client_id not in {None, client_id}


def foreign_grant() -> ClientRefused:
    """Return the error for a grant that was given to another client."""
    return ClientRefused(
        "This grant was given to another client id; set CALENDLY_CLIENT_ID back to it, or let "
        "the user connect again."
    )


def sealed_tokens(integration: Integration) -> SealedTokens:
    """Return the tokens that a refresh may send, those of a refused grant included.

    Raises:
        IntegrationNotFound: the account is being disconnected, or holds no tokens any more.

    """
    if integration.status is Status.DISCONNECTING or integration.tokens is None:
        raise IntegrationNotFound("This Calendly account has no tokens to refresh.")
    return integration.tokens


def usable_tokens(integration: Integration) -> SealedTokens:
    """Return the tokens of a live integration.

    Raises:
        ReauthRequired: the grant is gone; the message says what to do.
        IntegrationNotFound: the account is being disconnected.

    """
    if integration.status is Status.DISCONNECTING:
        raise IntegrationNotFound("This Calendly account is being disconnected.")
    if integration.status is Status.REAUTH_REQUIRED or integration.tokens is None:
        cause = integration.attention.cause if integration.attention else Cause.GRANT_REFUSED
        raise ReauthRequired(
            "Calendly no longer accepts this connection; send the user to "
            "/api/calendly/connect to connect again.",
            cause=cause,
            since=integration.attention.since if integration.attention else None,
        )
    return integration.tokens


def still_open(integration: Integration, now: datetime) -> timedelta | None:
    """Return how much longer an earlier refresh without outcome may be under way, or None.

    Its answer may be a live pair that is being stored, so a refusal of the same token proves
    nothing before that time is over.
    """
    if integration.exchange_started_at is None:
        return None
    left = integration.exchange_started_at + REFRESH_OPEN_FOR - now
    return left if left > timedelta() else None


def in_doubt(integration: Integration, now: datetime, doubt: timedelta) -> timedelta | None:
    """Return how much longer an earlier exchange without outcome forbids another, or None.

    Its process, or another one that stores its heartbeat details, may have the new pair. The old
    token is spent then: to send it again would end the grant where Calendly punishes reuse.
    """
    if integration.exchange_started_at is None or integration.exchange_unanswered:
        return None
    left = integration.exchange_started_at + doubt - now
    return left if left > timedelta() else None


def refreshed(
    integration: Integration,
    tokens: SealedTokens,
    now: datetime,
    *,
    scopes: tuple[str, ...] = (),
    organization_uri: str = "",
    client_id: str | None = None,
) -> Integration:
    """The integration with a newly exchanged pair.

    Args:
        integration: as it was.
        tokens: the new pair, sealed.
        now: when it came (UTC).
        scopes: what was granted with it; empty leaves them as they were.
        organization_uri: the user's current organization; empty leaves it as it was.
        client_id: the client that exchanged it; None leaves it as it was.

    """
    account = msgspec.structs.replace(
        integration.account,
        organization_uri=organization_uri or integration.account.organization_uri,
    )
    granted = scopes or integration.scopes
    return msgspec.structs.replace(
        integration,
        status=Status.ACTIVE,
        account=account,
        scopes=granted,
        scopes_missing_since=(
            (integration.scopes_missing_since or now) if missing_scopes(granted) else None
        ),
        exchange_unanswered=False,
        error_since=None,
        tokens=tokens,
        breaker=CLOSED,
        attention=None,
        exchange_started_at=None,
        last_refreshed_at=now,
        last_error_code=None,
        client_id=client_id or integration.client_id,
        refused_at=None,
        refusals=0,
    )


def refused(
    integration: Integration, now: datetime, *, code: str, erase: bool = True
) -> Integration:
    """The integration after `invalid_grant`: a person is needed.

    An exchange that was left open before this one may have spent the token unseen. Then the
    cause is the lost answer, not a revocation by the user. A grant that is refused once more
    keeps its first cause and its first time.

    Args:
        integration: as it was.
        now: when Calendly refused it (UTC).
        code: what operators see.
        erase: whether the tokens are erased; else they stay sealed and are asked again.

    """
    lost = integration.exchange_started_at is not None
    cause = Cause.REFRESH_OUTCOME_LOST if lost else Cause.GRANT_REFUSED
    changed = needs_person(integration, cause, now, code=code)
    again = integration.status is Status.REAUTH_REQUIRED
    return msgspec.structs.replace(
        changed,
        tokens=None if erase else integration.tokens,
        attention=integration.attention if again else changed.attention,
        refused_at=integration.refused_at if again else now,
        refusals=integration.refusals + 1,
    )


def needs_person(
    integration: Integration, cause: Cause, now: datetime, *, code: str
) -> Integration:
    """The integration with its tokens erased and the reason a person is needed."""
    return msgspec.structs.replace(
        integration,
        status=Status.REAUTH_REQUIRED,
        tokens=None,
        attention=Attention(cause=cause, since=now),
        exchange_started_at=None,
        exchange_unanswered=False,
        last_error_code=code,
        error_since=now,
    )
