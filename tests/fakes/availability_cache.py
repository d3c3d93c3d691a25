"""The availability cache in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from application.ports.availability_cache import CachedPart, Part
from domain.ids import IntegrationId, UserId
from tests.fakes.state import PartRow, State
from tests.fakes.sync_queue import request_sync


class FakeAvailabilityCache:
    """Implements the AvailabilityCache port; an invalidation stands on the integration."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def read(self, user_id: UserId, part: Part, key: str = "") -> CachedPart | None:
        """Read one part with what overtook it."""
        row = self._state.parts.get((user_id, part, key))
        if row is None:
            return None
        integration = self._state.integrations[row.integration_id]
        at = integration.invalidated_at
        if at is None or at < row.part.fetched_at:
            return row.part
        return replace(row.part, invalidated_at=at, invalidated_by=integration.invalidated_by)

    async def put(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CachedPart]
    ) -> None:
        """Store parts that are not older than what is there."""
        if not self._is_of(integration_id, user_id):
            return
        for part in parts:
            known = self._state.parts.get((user_id, part.part, part.key))
            if known is None or known.part.fetched_at <= part.fetched_at:
                self._store(user_id, integration_id, part)

    async def mark_failed(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CachedPart]
    ) -> None:
        """Set the error alone of the parts that are there, and add the others."""
        if not self._is_of(integration_id, user_id):
            return
        for part in parts:
            row = self._state.parts.get((user_id, part.part, part.key))
            known = part if row is None else replace(row.part, error_code=part.error_code)
            self._store(user_id, integration_id, known)

    async def keep_only(self, user_id: UserId, part: Part, keys: Sequence[str]) -> None:
        """Forget the parts that are not named."""
        for at in list(self._state.parts):
            if at[:2] == (user_id, part) and at[2] not in keys:
                del self._state.parts[at]

    async def invalidate(self, user_ids: Sequence[UserId], now: datetime, *, by: str) -> None:
        """Write the invalidation and the due sync."""
        await self.invalidate_each(dict.fromkeys(user_ids, by), now)

    async def invalidate_each(self, changed: Mapping[UserId, str], now: datetime) -> None:
        """Write the invalidations and the due syncs."""
        for user_id, by in changed.items():
            row = self._state.integration_of(user_id)
            if row is None:
                continue
            if row.invalidated_at is None or row.invalidated_at <= now:
                row = replace(row, invalidated_at=now, invalidated_by=by)
            self._state.integrations[row.value.id] = request_sync(row, now)

    def _is_of(self, integration_id: IntegrationId, user_id: UserId) -> bool:
        integration = self._state.integrations.get(integration_id)
        return integration is not None and integration.value.user_id == user_id

    def _store(self, user_id: UserId, integration_id: IntegrationId, part: CachedPart) -> None:
        plain = replace(part, invalidated_at=None, invalidated_by=None)
        row = PartRow(part=plain, integration_id=integration_id)
        self._state.parts[(user_id, part.part, part.key)] = row
