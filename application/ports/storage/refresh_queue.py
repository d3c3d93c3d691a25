"""Refresh leases with fencing numbers, across all processes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from domain.ids import IntegrationId
from domain.integration import Integration, Lease
from domain.refusal import RecentOutcomes


class RefreshStart(NamedTuple):
    """A token request that is about to leave.

    Args:
        integration_id: whose.
        lease: under which it leaves.
        now: the moment (UTC).
        until: the new end of the lease, beyond the request's own deadline (UTC).
        version: of the tokens that it sends; a newer pair may have been stored without the lease.

    """

    integration_id: IntegrationId
    lease: Lease
    now: datetime
    until: datetime
    version: int


class StartResult(NamedTuple):
    """Whether a token request may leave.

    Args:
        granted: it may, and its start is recorded.
        wait: the user's token requests are used up for this long; None: the lease was lost.

    """

    granted: bool
    wait: timedelta | None = None


class RefreshEnd(NamedTuple):
    """The outcome of a token request.

    Args:
        integration: with the changes that the outcome makes.
        lease: under which the request left.
        expected_version: the token version that was sent.
        next_attempt_at: the job does not claim the integration before this (UTC).
        keep_lease_until: keep the lease until then instead of freeing it (UTC).

    """

    integration: Integration
    lease: Lease
    expected_version: int
    next_attempt_at: datetime | None = None
    keep_lease_until: datetime | None = None


class RefreshQueue(Protocol):
    """Single flight for refreshes: never refresh without the lease.

    Every change names the lease it was made under. After another process took the lease over, the
    fencing number is higher and the change has no effect. Only a new pair is stored without the lease,
    because it is the only live one.
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
            until: when another process may take it over (UTC).
            disconnecting: take it of a `disconnecting` integration, and of no other.

        Returns:
            None if another process holds it, if the status is another, or if it is absent.

        """
        ...

    async def claim_due(
        self,
        owner: str,
        now: datetime,
        until: datetime,
        horizon: datetime,
        limit: int,
        *,
        client_id: str | None = None,
    ) -> list[tuple[Integration, Lease]]:
        """Take the leases of up to `limit` active integrations whose token dies by `horizon`.

        Grants of another client than `client_id` are left alone, unless it is None. Integrations
        whose next attempt is in the future, or whose lease is held, are skipped without waiting.
        So are those refreshed within LEFT_ALONE_FOR. The soonest to expire come first.
        """
        ...

    async def claim_refused(
        self, owner: str, now: datetime, until: datetime, limit: int, *, client_id: str
    ) -> list[tuple[Integration, Lease]]:
        """Take the leases of up to `limit` refused integrations whose time to be asked has come.

        They are `reauth_required` and still have their tokens. Grants of another client are left
        alone. The longest due come first.
        """
        ...

    async def count_foreign(self, horizon: datetime, client_id: str) -> int:
        """Return how many active integrations die by `horizon` whose grant is another client's."""
        ...

    async def recent_outcomes(self, integration: Integration, since: datetime) -> RecentOutcomes:
        """Return the latest refusals since then (UTC), with one of this integration's account now."""
        ...

    async def begin(self, starts: Sequence[RefreshStart]) -> list[StartResult]:
        """Record, before requests leave, that their refresh tokens may be spent from now on.

        Each lease is renewed: it was taken some time ago, and must not expire while the request
        is out. An earlier start that was left open is replaced; the integration that was read
        with the lease still names it.

        A start is not granted if the lease was lost or has expired, or a disconnect began since
        it was taken. Nor is it if the stored tokens are not of the version that it sends. It is
        not granted either if TOKEN_REQUESTS requests left in the current TOKEN_WINDOW, counted
        over all processes; the window begins with its first request.
        Without a grant nothing is recorded and nothing may be sent.

        Args:
            starts: each integration at most once.

        Returns:
            One result for each start, in the same order.

        """
        ...

    async def next_attempt(self, now: datetime, horizon: datetime) -> datetime | None:
        """Return when the first of those becomes claimable that `claim_due` passes over.

        They expire by `horizon` but wait for their next attempt, or for another process's lease.
        Refused integrations that wait to be asked again count as well.
        """
        ...

    async def paused_until(self, integration_id: IntegrationId, now: datetime) -> datetime | None:
        """Return when a lease that `finish` kept expires (UTC); None if there is none.

        Such a lease is recognised by its end, which is not after the next attempt. A lease that is
        taken before a postponed attempt looks the same until its start is recorded.
        """
        ...

    async def finish(self, ends: Sequence[RefreshEnd]) -> list[bool]:
        """Store outcomes by compare-and-set, and free each lease that is still the one given.

        Writes status, tokens, breaker, attention, exchange_started_at, last_refreshed_at,
        last_error_code, scopes, the account's organization, client_id, refused_at and refusals.

        A new pair has tokens of another version than the expected one. It is stored even if
        another process has the lease. It is also stored over a `reauth_required` of the same
        grant if this pair came from the refused token. In that case another process had sent
        that token again. A pair that was refused itself stays out, because it is dead. The grant
        is identified by `connected_at`.

        Over a `disconnecting` integration a new pair is stored under the lease only, and the
        status stays. The process that took the lease over has read the older tokens and would
        not revoke the new ones. Every other outcome needs both the lease and the version.

        Args:
            ends: each integration at most once.

        Returns:
            For each, in the same order: whether it was stored. False: another change came first,
            and nothing changed.

        """
        ...

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        """Free the lease without any other change; a lost one is left alone."""
        ...
