"""Who refreshes what: leases with fencing numbers, across all processes."""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from domain.ids import IntegrationId
from domain.integration import Integration, Lease


class Start(NamedTuple):
    """Whether a token request may leave.

    Args:
        granted: it may, and that is recorded.
        wait: the user's token requests are used up for this long; None when the lease was lost.

    """

    granted: bool
    wait: timedelta | None = None


class RefreshQueue(Protocol):
    """Single flight for refreshes: never refresh without the lease.

    Every change names the lease it was made under; once somebody else took the lease over, the
    fencing number moved on and the change has no effect. A new pair alone is stored whoever has
    the lease: it is the only live one.
    """

    async def take(
        self,
        integration_id: IntegrationId,
        owner: str,
        now: datetime,
        until: datetime,
        *,
        disconnecting: bool = False,
    ) -> tuple[Integration, Lease] | None:
        """Take the lease of an active integration, or of a `disconnecting` one, in one statement.

        Args:
            integration_id: whose.
            owner: who takes it.
            now: the moment (UTC).
            until: when anybody may take it over (UTC).
            disconnecting: take it of a `disconnecting` integration, and of no other.

        Returns:
            None when somebody holds it, when the status is another, or when it is absent.

        """
        ...

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, horizon: datetime, limit: int
    ) -> list[tuple[Integration, Lease]]:
        """Take the leases of up to `limit` active integrations whose token dies by `horizon`.

        Those whose next attempt lies in the future, or whose lease is held, are passed over
        without waiting, and so are those refreshed within LEFT_ALONE_FOR; the soonest to die
        come first.
        """
        ...

    async def begin_exchange(
        self, integration_id: IntegrationId, lease: Lease, now: datetime, until: datetime
    ) -> Start:
        """Record, before the request leaves, that the refresh token may be spent from now on.

        The lease is renewed to `until`, which lies beyond the request's own deadline: it was
        taken a while ago, and nobody may take it over while the request is out. An earlier
        start that was left open is replaced; the integration as it was taken still names it.

        Not granted when the lease was lost or has run out, or when a disconnect began since it
        was taken; nor when TOKEN_REQUESTS left in this TOKEN_WINDOW, which begins with its first
        request, counted over all processes: then nothing may be sent and nothing is recorded.
        """
        ...

    async def next_attempt(self, now: datetime, horizon: datetime) -> datetime | None:
        """Return when the first of those becomes claimable that `claim_due` passes over.

        They die by `horizon` but wait for their next attempt, or for somebody's lease (UTC).
        """
        ...

    async def rests_until(self, integration_id: IntegrationId, now: datetime) -> datetime | None:
        """Return when a lease ends that `finish` kept though nobody works under it, or None (UTC).

        Told by its end, which is not after the next attempt. One that is taken before an attempt
        that was put off for minutes looks the same, until its exchange has begun.
        """
        ...

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
        held_until: datetime | None = None,
    ) -> bool:
        """Store the outcome by compare-and-set, and free the lease if it is still this one.

        Writes status, tokens, breaker, attention, exchange_started_at, last_refreshed_at,
        last_error_code, scopes and the account's organization.

        A new pair (tokens of another version than the expected one) is stored whoever has the
        lease, also over a `reauth_required` of the same grant when the refused token was the one
        that this pair came from: who was refused had sent it once more. A pair that was refused
        itself is dead and stays out. A grant is told by `connected_at`. Over a
        `disconnecting` integration it is stored under the lease only, and the status stays:
        who took the lease over has read the tokens already, and would not revoke these.
        Every other outcome needs both the lease and the version.

        Args:
            integration: as it has become.
            lease: under which the exchange ran.
            expected_version: the token version that was exchanged.
            next_attempt_at: not to be claimed by the job before this (UTC).
            held_until: keep the lease until then instead of freeing it (UTC).

        Returns:
            False, and nothing changed, when somebody else's change came first.

        """
        ...

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        """Free the lease without any other change; a lost one is left alone."""
        ...
