"""Erased invitees in memory."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec.structs import replace

from application.ports.erasures import Erasure
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
        """Keep it with the address."""
        self._state.erasures[erasure.id] = ErasureRow(erasure, email)

    async def finish(self, erasure: Erasure) -> None:
        """Add the counts."""
        row = self._state.erasures.get(erasure.id)
        if row is not None:
            self._state.erasures[erasure.id] = replace(row, erasure=erasure)

    async def known(self, emails: Collection[str]) -> Mapping[str, datetime]:
        """Look them up."""
        found: dict[str, datetime] = {}
        for row in self._state.erasures.values():
            if row.email in emails:
                at = row.erasure.erased_at
                found[row.email] = max(at, found.get(row.email, at))
        return found

    async def moment(self) -> datetime:
        """Return noon."""
        return NOON

    async def is_quiet_since(self, moment: datetime) -> bool:
        """Look for older ones among those that a test says are open."""
        return all(began >= moment for began in self._state.open_elsewhere.values())
