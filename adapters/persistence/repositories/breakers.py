"""The shared circuit breakers in calendly_circuit_breaker."""

from typing import Any

from adapters.persistence.rows.integration import breaker_values
from adapters.persistence.session import Session
from adapters.persistence.tables.core import CalendlyCircuitBreaker
from application.ports.storage.breakers import Surface
from domain.circuit_breaker import CLOSED, Breaker, BreakerState

# Creates the row when it is missing and locks it when it is there, in one statement.
_LOCK = """
INSERT INTO calendly_circuit_breaker (surface, state, failures, trips, failed_at)
VALUES ($1, 'closed', 0, 0, '{}')
ON CONFLICT (surface) DO UPDATE SET surface = excluded.surface
RETURNING *
"""
_PUT = """
INSERT INTO calendly_circuit_breaker (surface, state, failures, opened_at, trips, probe_until,
    failed_at, open_until, failed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (surface) DO UPDATE SET state = excluded.state, failures = excluded.failures,
    opened_at = excluded.opened_at, trips = excluded.trips, probe_until = excluded.probe_until,
    failed_at = excluded.failed_at, open_until = excluded.open_until,
    failed_by = excluded.failed_by
"""


class PiccoloBreakers:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def read(self, surface: Surface) -> Breaker:
        rows = await CalendlyCircuitBreaker.select().where(
            CalendlyCircuitBreaker.surface == str(surface)
        )
        return _to_breaker(rows[0]) if rows else CLOSED

    async def lock(self, surface: Surface) -> Breaker:
        (row,) = await self._session.rows(_LOCK, str(surface))
        return _to_breaker(row)

    async def put(self, surface: Surface, breaker: Breaker) -> None:
        await self._session.run(
            _PUT, str(surface), *breaker_values(breaker), list(breaker.failed_by)
        )


def _to_breaker(row: Any) -> Breaker:
    return Breaker(
        state=BreakerState(row["state"]),
        failures=row["failures"],
        opened_at=row["opened_at"],
        trips=row["trips"],
        probe_until=row["probe_until"],
        failed_at=tuple(row["failed_at"]),
        open_until=row["open_until"],
        failed_by=_failed_by(row),
    )


def _failed_by(row: Any) -> tuple[str, ...]:
    """Return whose each failure was; unknown if an earlier version wrote the failures since."""
    accounts = row["failed_by"] or ()
    return tuple(accounts) if len(accounts) == len(row["failed_at"]) else ()
