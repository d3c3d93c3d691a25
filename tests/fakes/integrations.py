"""Integrations in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from application.ports.storage.webhook_events import WebhookEvent
from domain.errors import ConnectStateInvalid
from domain.ids import IntegrationId, UserId
from domain.integration import Gap, Integration, Status, Subscription
from domain.reconcile_order import Place
from tests.fakes.state import IntegrationRow, State


class FakeIntegrations:
    def __init__(self, state: State) -> None:
        self._state = state

    async def get(self, integration_id: IntegrationId) -> Integration | None:
        row = self._state.integrations.get(integration_id)
        return None if row is None else row.value

    async def for_user(self, user_id: UserId, *, lock: bool = False) -> Integration | None:  # noqa: ARG002
        row = self._state.integration_of(user_id)
        return None if row is None else row.value

    async def by_accounts(self, user_uris: Sequence[str]) -> list[Integration]:
        return [each for each in self._sorted() if each.account.user_uri in user_uris]

    async def put_connected(self, integration: Integration) -> None:
        user_id, state = integration.user_id, self._state
        if not state.has_user(user_id) or state.is_leaving(user_id):
            raise ConnectStateInvalid("The user of this connect flow was erased.")
        old = self._state.integration_of(integration.user_id)
        if old is not None and old.value.status is Status.DISCONNECTING:
            old = None
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
                calls_paused_until=old.value.calls_paused_until,
                gap=old.value.gap,
                repaired_count=old.value.repaired_count,
                last_repaired_at=old.value.last_repaired_at,
                subscribed_since=old.value.subscribed_since,
            )
        self._state.integrations[value.id] = IntegrationRow(
            value=value,
            sync_due_at=value.connected_at,
            fence=fence,
            invalidated=old.invalidated if old else {},
            version=old.version + 1 if old else 0,
            read_at=old.read_at if old else None,
        )

    async def mark_disconnecting(self, integration_id: IntegrationId) -> None:
        self._change(integration_id, status=Status.DISCONNECTING)
        row = self._state.integrations.get(integration_id)
        if row is not None:
            free = replace(row, sync_owner=None, sync_until=None, version=row.version + 1)
            self._state.integrations[integration_id] = free
        self._forget_parts(integration_id)

    async def mark_all_disconnecting(self, user_id: UserId) -> Sequence[IntegrationId]:
        ids = [each.id for each in self._sorted() if each.user_id == user_id]
        for each in ids:
            await self.mark_disconnecting(each)
        return ids

    async def put_subscription(
        self, integration_id: IntegrationId, subscription: Subscription | None
    ) -> None:
        known = await self.get(integration_id)
        since = (known and known.subscribed_since) or (subscription and subscription.healthy_at)
        self._change(integration_id, subscription=subscription, subscribed_since=since)

    async def put_calls_paused(self, integration_id: IntegrationId, until: datetime) -> None:
        row = self._state.integrations.get(integration_id)
        known = None if row is None else row.value.calls_paused_until
        self._change(integration_id, calls_paused_until=max(until, known or until))

    async def clear_error(self, integration_id: IntegrationId, code: str) -> None:
        row = self._state.integrations.get(integration_id)
        if row is not None and row.value.last_error_code == code:
            value = replace(row.value, last_error_code=None, error_since=None)
            cleared = replace(row, value=value, next_refresh_at=None)
            self._state.integrations[integration_id] = cleared

    async def put_gap(self, integration_id: IntegrationId, gap: Gap) -> None:
        known = await self.get(integration_id)
        joined = gap.joined(known.gap if known else None)
        self._change(integration_id, gap=joined, reconcile_from=None)

    async def put_reconciled(
        self,
        integration_id: IntegrationId,
        at: datetime,
        closes: Gap | None = None,
        error: str | None = None,
    ) -> None:
        known = await self.get(integration_id)
        gap = known.gap if known else None
        self._change(
            integration_id,
            reconciled_at=at,
            gap=None if gap == closes else gap,
            reconcile_from=None,
            reconcile_error=error,
        )

    async def put_unreconciled(
        self,
        integration_id: IntegrationId,
        error: str,
        goes_on_at: datetime | None,
        gap: Gap | None = None,
    ) -> None:
        known = await self.get(integration_id)
        is_same = known is not None and known.gap == gap
        place = goes_on_at if is_same else None
        self._change(integration_id, reconcile_error=error, reconcile_from=place)

    async def add_repairs(self, integration_id: IntegrationId, count: int, at: datetime) -> None:
        known = await self.get(integration_id)
        if known is not None:
            total = known.repaired_count + count
            self._change(integration_id, repaired_count=total, last_repaired_at=at)

    async def erase(self, integration_id: IntegrationId) -> Integration | None:
        state = self._state
        erased = state.integrations.pop(integration_id, None)
        if erased is None:
            return None
        self._forget_parts(integration_id)
        is_last = state.integration_of(erased.value.user_id) is None
        self._forget_commands(erased.value, is_last=is_last)
        state.bookings = {
            key: booking for key, booking in state.bookings.items() if key[0] != integration_id
        }
        state.webhook_events = {
            event_id: row
            for event_id, row in state.webhook_events.items()
            if not _goes_with(erased.value, row.event, is_last=is_last)
        }
        return erased.value

    async def disconnecting(self, limit: int) -> list[Integration]:
        return [each for each in self._sorted() if each.status is Status.DISCONNECTING][:limit]

    async def live_after(self, after: IntegrationId | None, limit: int) -> list[Integration]:
        live = [each for each in self._sorted() if each.status is Status.ACTIVE]
        return [each for each in live if after is None or each.id > after][:limit]

    async def to_reconcile(
        self, place: Place, limit: int, *, only_unfinished: bool = False
    ) -> list[Integration]:
        long_ago = datetime.min.replace(tzinfo=UTC)

        def turn(each: Integration) -> tuple[datetime, IntegrationId]:
            return each.reconciled_at or long_ago, each.id

        live = await self.live_after(None, len(self._state.integrations))
        found = [
            each
            for each in sorted(live, key=turn)
            if turn(each)[0] < place.began_at
            and (place.after is None or turn(each) > (place.compared_at or long_ago, place.after))
            and (not only_unfinished or each.gap is not None or each.reconcile_from is not None)
        ]
        return found[:limit]

    async def oldest_reconciled(self) -> datetime | None:
        live = await self.live_after(None, len(self._state.integrations))
        return min((each.reconciled_at or each.connected_at for each in live), default=None)

    def _forget_parts(self, integration_id: IntegrationId) -> None:
        self._state.entries = {
            key: row
            for key, row in self._state.entries.items()
            if row.integration_id != integration_id
        }

    def _forget_commands(self, erased: Integration, *, is_last: bool) -> None:
        ids = {each.id for at, each in self._state.bookings.items() if at[0] == erased.id}
        self._state.booking_commands = {
            command_id: command
            for command_id, command in self._state.booking_commands.items()
            if command.user_id != erased.user_id or not (is_last or command.booking_id in ids)
        }

    def _sorted(self) -> list[Integration]:
        values = [row.value for row in self._state.integrations.values()]
        return sorted(values, key=lambda each: each.id)

    def _change(self, integration_id: IntegrationId, **changes: object) -> None:
        row = self._state.integrations.get(integration_id)
        if row is not None:
            self._state.integrations[integration_id] = replace(
                row, value=replace(row.value, **changes)
            )


def _goes_with(erased: Integration, event: WebhookEvent, *, is_last: bool) -> bool:
    if event.integration_id is None:
        return is_last and event.user_id == erased.user_id
    return event.integration_id == erased.id
