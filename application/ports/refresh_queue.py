"""Who refreshes what: leases with fencing numbers, across all processes."""

from datetime import datetime
from typing import Protocol

from domain.ids import IntegrationId
from domain.integration import Integration, Lease


class RefreshQueue(Protocol):
    """Single flight for refreshes: never refresh without the lease.

    Every change names the lease it was made under; once somebody else took the lease over, the
    fencing number moved on and the change has no effect.
    """

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> tuple[Integration, Lease] | None:
        """Take the lease of an active integration, in one statement.

        None when somebody holds it, when the integration is not active, or when it is absent.
        """
        ...

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, horizon: datetime, limit: int
    ) -> list[tuple[Integration, Lease]]:
        """Take the leases of up to `limit` active integrations whose token dies by `horizon`.

        Those whose next attempt lies in the future, or whose lease is held, are passed over
        without waiting; the soonest to die come first.
        """
        ...

    async def begin_exchange(
        self, integration_id: IntegrationId, lease: Lease, now: datetime
    ) -> bool:
        """Record, before the request leaves, that the refresh token may be spent from now on.

        False when the lease was lost: then nothing may be sent.
        """
        ...

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
    ) -> bool:
        """Store the outcome and free the lease, by compare-and-set.

        Writes status, tokens, breaker, attention, exchange_started_at, last_refreshed_at,
        last_error_code and, when given, scopes and account's organization.

        Args:
            integration: as it has become.
            lease: under which the exchange ran.
            expected_version: the token version that was exchanged.
            next_attempt_at: not to be claimed by the job before this (UTC).

        Returns:
            False, and nothing changed, when the fencing number or the version moved on.

        """
        ...

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        """Free the lease without any other change; a lost one is left alone."""
        ...
