"""Integrations in memory."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from adapters.persistence.errors import StoreRefused
from domain.ids import IntegrationId, UserId
from domain.integration import Integration, Status, Subscription
from tests.fakes.state import IntegrationRow, State


class FakeIntegrations:
    """Implements the Integrations port."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def get(self, integration_id: IntegrationId) -> Integration | None:
        """Read one."""
        row = self._state.integrations.get(integration_id)
        return None if row is None else row.value

    async def for_user(self, user_id: UserId, *, lock: bool = False) -> Integration | None:  # noqa: ARG002
        """Read a user's; units of work run one at a time, so a lock is free."""
        row = self._state.integration_of(user_id)
        return None if row is None else row.value

    async def by_accounts(self, user_uris: Sequence[str]) -> list[Integration]:
        """Read those of some Calendly users."""
        return [each for each in self._sorted() if each.account.user_uri in user_uris]

    async def put_connected(self, integration: Integration) -> None:
        """Insert or overwrite the user's; that keeps its id, subscription and past."""
        if not self._state.has_user(integration.user_id):
            raise StoreRefused("An integration was stored for a user that does not exist.")
        old = self._state.integration_of(integration.user_id)
        fence, value = 0, integration
        if old is not None:
            fence = old.fence + 1
            value = replace(
                integration,
                id=old.value.id,
                subscription=old.value.subscription,
                last_refreshed_at=old.value.last_refreshed_at,
                last_synced_at=old.value.last_synced_at,
                reconciled_at=old.value.reconciled_at,
            )
        self._state.integrations[value.id] = IntegrationRow(
            value=value,
            sync_due_at=value.connected_at,
            fence=fence,
            invalidated_at=old.invalidated_at if old else None,
            invalidated_by=old.invalidated_by if old else None,
        )

    async def mark_disconnecting(self, integration_id: IntegrationId) -> None:
        """Set the status."""
        self._change(integration_id, status=Status.DISCONNECTING)

    async def put_subscription(
        self, integration_id: IntegrationId, subscription: Subscription | None
    ) -> None:
        """Set the subscription."""
        self._change(integration_id, subscription=subscription)

    async def put_reconciled(self, integration_id: IntegrationId, at: datetime) -> None:
        """Set the time."""
        self._change(integration_id, reconciled_at=at)

    async def erase(self, integration_id: IntegrationId) -> Integration | None:
        """Delete it with its cache, bookings, events and commands."""
        state = self._state
        erased = state.integrations.pop(integration_id, None)
        if erased is None:
            return None
        user_id = erased.value.user_id
        state.parts = {
            key: row for key, row in state.parts.items() if row.integration_id != integration_id
        }
        state.bookings = {
            key: booking for key, booking in state.bookings.items() if key[0] != integration_id
        }
        state.webhook_events = {
            event_id: row
            for event_id, row in state.webhook_events.items()
            if row.event.integration_id != integration_id and row.event.user_id != user_id
        }
        state.booking_commands = {
            command_id: command
            for command_id, command in state.booking_commands.items()
            if command.user_id != user_id
        }
        return erased.value

    async def disconnecting(self, limit: int) -> list[Integration]:
        """Read those that are being disconnected."""
        return [each for each in self._sorted() if each.status is Status.DISCONNECTING][:limit]

    async def live_after(self, after: IntegrationId | None, limit: int) -> list[Integration]:
        """Read a page."""
        live = [each for each in self._sorted() if each.status is Status.ACTIVE]
        return [each for each in live if after is None or each.id > after][:limit]

    def _sorted(self) -> list[Integration]:
        values = [row.value for row in self._state.integrations.values()]
        return sorted(values, key=lambda each: each.id)

    def _change(self, integration_id: IntegrationId, **changes: object) -> None:
        row = self._state.integrations.get(integration_id)
        if row is not None:
            self._state.integrations[integration_id] = replace(
                row, value=replace(row.value, **changes)
            )
