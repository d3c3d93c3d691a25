"""Integrations by user and by id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import IntegrationId, UserId
from domain.integration import Gap, Integration, Subscription
from domain.reconcile_order import Place


class Integrations(Protocol):
    """One integration a user at most that is not leaving. Tokens come and go only sealed.

    Writers name just what they change, so that two processes never undo each other's columns.
    """

    async def get(self, integration_id: IntegrationId) -> Integration | None:
        """Return the integration, or None."""
        ...

    async def for_user(self, user_id: UserId, *, lock: bool = False) -> Integration | None:
        """Return the user's integration, or None; `lock`: no other process changes it until the end.

        One that is being disconnected is returned only when no other has taken its place.
        """
        ...

    async def by_accounts(self, user_uris: Sequence[str]) -> Sequence[Integration]:
        """Return the integrations of these Calendly users by ascending id; none for others."""
        ...

    async def put_connected(self, integration: Integration) -> None:
        """Store a newly connected integration, or the same user's reconnected one.

        Status, account, scopes, tokens, breaker, attention and recovery are replaced. A
        disconnecting integration is not changed; the new one is added beside it. The refresh lease is
        freed with a new fencing number, so a refresh of the old grant changes nothing. The sync
        becomes due at `connected_at`, the refresh by the token's expiry. An existing subscription
        stays.

        Raises:
            ConnectStateInvalid: the user is being erased, or does not exist any more.

        """
        ...

    async def mark_disconnecting(self, integration_id: IntegrationId) -> None:
        """Set the status; no job claims the integration from now on. Absent: nothing happens.

        Its cache entries are deleted immediately, and a running sync stores nothing any more. No
        reader is offered times of an account that is leaving, not even when another account replaces
        it.
        """
        ...

    async def mark_all_disconnecting(self, user_id: UserId) -> Sequence[IntegrationId]:
        """Set the status of all integrations of a user, as `mark_disconnecting` does.

        Returns:
            Their ids, ascending, including those that were being disconnected already.

        """
        ...

    async def put_subscription(
        self, integration_id: IntegrationId, subscription: Subscription | None
    ) -> None:
        """Remember which webhook subscription belongs to the integration.

        The first healthy one (`healthy_at`) also sets `subscribed_since`, permanently.
        """
        ...

    async def put_calls_paused(self, integration_id: IntegrationId, until: datetime) -> None:
        """Let the integration's calls rest until then (UTC); a longer rest is never cut short."""
        ...

    async def clear_error(self, integration_id: IntegrationId, code: str) -> None:
        """Forget the error with this code, and let the refresh job take the integration up again.

        Another error stays, and so does a lease.
        """
        ...

    async def put_gap(self, integration_id: IntegrationId, gap: Gap) -> None:
        """Remember that deliveries may have been lost; an open gap grows to cover both."""
        ...

    async def put_reconciled(
        self,
        integration_id: IntegrationId,
        at: datetime,
        closes: Gap | None = None,
        error: str | None = None,
    ) -> None:
        """Remember when bookings were last compared with Calendly's (UTC).

        `closes` is the gap that this made up for; one that has grown since stays open. `error` is
        the code of what the comparison passed over.
        """
        ...

    async def put_unreconciled(
        self,
        integration_id: IntegrationId,
        error: str,
        goes_on_at: datetime | None,
        gap: Gap | None = None,
    ) -> None:
        """Remember that a comparison did not end.

        Args:
            integration_id: whose.
            error: why, as a code.
            goes_on_at: the start time (UTC) at which the next one goes on; None begins again.
            gap: the gap that the comparison knew of. If another one is open the next one begins
                again: what is compared already may have changed in it.

        """
        ...

    async def add_repairs(self, integration_id: IntegrationId, count: int, at: datetime) -> None:
        """Add to the bookings that were found wrong, the last of them at this time (UTC)."""
        ...

    async def erase(self, integration_id: IntegrationId) -> Integration | None:
        """Delete everything that is kept of the integration and of what its user did with it.

        Its cache, its bookings, its webhook events and the booking commands on its bookings are
        deleted too. So are webhook events of the user that arrived for an integration that was already
        erased. With the user's last integration all commands of the user are deleted. Rows of another
        integration of the user stay. Waits for transactions that apply its webhooks.

        Returns:
            The integration as it was at that moment; None when there was none. A caller who
            expected another one may leave without a commit.

        """
        ...

    async def disconnecting(self, limit: int) -> list[Integration]:
        """Return up to `limit` integrations that are being disconnected, by ascending id."""
        ...

    async def live_after(self, after: IntegrationId | None, limit: int) -> list[Integration]:
        """Return a page of active integrations by ascending id, for sweeps over all."""
        ...

    async def to_reconcile(
        self, place: Place, limit: int, *, only_unfinished: bool = False
    ) -> list[Integration]:
        """Return a page of active integrations, the least recently compared first.

        Args:
            place: how far the walk has come.
            limit: integrations at most.
            only_unfinished: only those with an open gap, or whose comparison goes on somewhere.

        """
        ...

    async def oldest_reconciled(self) -> datetime | None:
        """Return since when one of the active integrations is not compared (UTC).

        That is the oldest comparison, or connection without a comparison. None without any.
        """
        ...
