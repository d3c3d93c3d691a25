"""Integrations by user and by id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import IntegrationId, UserId
from domain.integration import Gap, Integration, Subscription


class Integrations(Protocol):
    """One integration a user at most that is not leaving. Tokens come and go only sealed.

    Writers name just what they change, so that two processes never undo each other's columns.
    """

    async def get(self, integration_id: IntegrationId) -> Integration | None:
        """Return the integration, or None."""
        ...

    async def for_user(self, user_id: UserId, *, lock: bool = False) -> Integration | None:
        """Return the user's integration, or None; with `lock` nobody else changes it meanwhile.

        One that is being disconnected is returned only when no other has taken its place.
        """
        ...

    async def by_accounts(self, user_uris: Sequence[str]) -> Sequence[Integration]:
        """Return the integrations of these Calendly users by ascending id; none for others."""
        ...

    async def put_connected(self, integration: Integration) -> None:
        """Store a newly connected integration, or the same user's reconnected one.

        Status, account, scopes, tokens, breaker, attention and recovery are taken over; one
        that is being disconnected is left alone and gets a neighbour. The refresh lease
        is freed with a new fencing number, so a refresher of the old grant changes nothing; the
        sync becomes due at `connected_at`, the refresh by the token's expiry. A subscription
        that the row has stays.
        """
        ...

    async def mark_disconnecting(self, integration_id: IntegrationId) -> None:
        """Set the status; no job claims the integration from now on. Absent: nothing happens.

        Its part of the cache is forgotten at once, and a sync under way stores nothing any more:
        nobody is offered times of an account that is leaving, least of all when another one is
        about to take its place.
        """
        ...

    async def put_subscription(
        self, integration_id: IntegrationId, subscription: Subscription | None
    ) -> None:
        """Remember which webhook subscription belongs to the integration.

        The first one that is good (`healthy_at`) also sets `subscribed_since`, for good.
        """
        ...

    async def put_calls_paused(self, integration_id: IntegrationId, until: datetime) -> None:
        """Let the integration's calls rest until then (UTC); a longer rest is never cut short."""
        ...

    async def put_gap(self, integration_id: IntegrationId, gap: Gap) -> None:
        """Remember that deliveries may have been lost; an open gap grows to cover both."""
        ...

    async def put_reconciled(
        self, integration_id: IntegrationId, at: datetime, closes: Gap | None = None
    ) -> None:
        """Remember when bookings were last compared with Calendly's (UTC).

        `closes` is the gap that this made up for; one that has grown since stays open.
        """
        ...

    async def add_repairs(self, integration_id: IntegrationId, count: int, at: datetime) -> None:
        """Add to the bookings that were found wrong, the last of them at this time (UTC)."""
        ...

    async def erase(self, integration_id: IntegrationId) -> Integration | None:
        """Delete everything that is kept of the integration and of what its user did with it.

        With it go its cache, its bookings, its webhook events (also those that its user has of
        an integration that was gone when they came) and the booking commands on its bookings;
        with the user's last integration all of the user's commands. What belongs to another
        integration of the user stays. Waits for whoever is applying its webhooks.

        Returns:
            The integration as it was at that moment, so that a caller who expected another one
            may leave without a commit; None when there was none.

        """
        ...

    async def disconnecting(self, limit: int) -> list[Integration]:
        """Return up to `limit` integrations that are being disconnected, by ascending id."""
        ...

    async def live_after(self, after: IntegrationId | None, limit: int) -> list[Integration]:
        """Return a page of active integrations by ascending id, for sweeps over all."""
        ...

    async def gaps_after(self, after: IntegrationId | None, limit: int) -> list[Integration]:
        """Return a page of those active integrations that have an open gap, by ascending id."""
        ...
