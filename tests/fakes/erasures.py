"""Erased invitees in memory."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from application.ports.storage.erasures import Erasure
from domain.secret import Secret
from tests.fakes.clock import NOON
from tests.fakes.state import ErasureRow, State


class FakeErasures:
    """Implements the Erasures port.

    Units of work run one at a time here; `open_elsewhere` of the state plays those of others, each
    with the time at which it began.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    async def begin(self, erasure: Erasure, email: str, new_key: Secret) -> None:  # noqa: ARG002 - nothing is hashed
        self._state.erasures[erasure.id] = ErasureRow(erasure, email)

    async def finish(self, erasure: Erasure) -> None:
        erasures = self._state.erasures
        if erasure.id not in erasures:
            return
        email, begun = erasures[erasure.id].email, list(erasures)
        for each in begun[: begun.index(erasure.id)]:
            row = erasures[each]
            if row.email == email and row.erasure.bookings is None:
                erasures[each] = replace(row, erasure=_ended(row.erasure, erasure.unreadable))
        erasures[erasure.id] = ErasureRow(erasure, email)

    async def unfinished(self, begun_before: datetime) -> Erasure | None:
        found = [
            row.erasure
            for row in self._state.erasures.values()
            if row.erasure.bookings is None and row.erasure.erased_at < begun_before
        ]
        return min(found, key=lambda each: each.erased_at, default=None)

    async def find(self, erasure_id: UUID) -> Erasure | None:
        row = self._state.erasures.get(erasure_id)
        return None if row is None else row.erasure

    async def known(self, emails: Collection[str]) -> Mapping[str, datetime]:
        found: dict[str, datetime] = {}
        for row in self._state.erasures.values():
            if row.email in emails:
                at = row.erasure.erased_at
                found[row.email] = max(at, found.get(row.email, at))
        return found

    async def moment(self) -> datetime:
        return NOON

    async def is_quiet_since(self, moment: datetime) -> bool:
        return all(began >= moment for began in self._state.open_elsewhere.values())


def _ended(erasure: Erasure, unreadable: int | None) -> Erasure:
    return replace(erasure, bookings=0, webhook_events=0, unreadable=unreadable)
