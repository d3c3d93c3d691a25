"""Commands in calendly_booking_command, one per user and key."""

from datetime import datetime
from typing import Any

from adapters.persistence.database_clock import database_time
from adapters.persistence.session import Session
from application.ports.storage.booking_commands import BookingCommand, Operation
from domain.errors import IntegrationNotFound
from domain.ids import BookingId, CommandId, UserId

# Inserts, or takes over an unfinished command whose lease has ended; otherwise returns no row. The
# same key with another request never takes over. One moment starts the command and its lease, and judges the lease of an earlier one.
_OPEN = """
WITH moment AS MATERIALIZED (SELECT slotkeeper_now($6::timestamptz) AS now)
INSERT INTO calendly_booking_command AS c (
    public_id, user_id, key, operation, fingerprint, started_at, lease_until, sent, done_at,
    booking_id
)
SELECT $1, u.id, $3, $4, $5, moment.now, moment.now + ($7::timestamptz - $6::timestamptz), $8,
    $9, $10
FROM moment, app_user u WHERE u.public_id = $2
ON CONFLICT (user_id, key) DO UPDATE
    SET started_at = excluded.started_at, lease_until = excluded.lease_until
    WHERE c.done_at IS NULL AND c.lease_until <= excluded.started_at
        AND c.fingerprint = excluded.fingerprint
RETURNING c.*
"""
_RECORDED = """
SELECT c.* FROM calendly_booking_command c JOIN app_user u ON u.id = c.user_id
WHERE u.public_id = $1 AND c.key = $2
"""
# These statements change the command only for the process that started it last: `started_at`.
_MARK_SENT = f"""
UPDATE calendly_booking_command SET sent = true, lease_until = {database_time("$4", "$3")}
WHERE public_id = $1 AND started_at = $2 AND done_at IS NULL
RETURNING id
"""
_FINISH = """
UPDATE calendly_booking_command SET done_at = $3, booking_id = $4
WHERE public_id = $1 AND started_at = $2 AND done_at IS NULL
"""
_RELEASE = """
UPDATE calendly_booking_command SET lease_until = least(lease_until, started_at), sent = true
WHERE public_id = $1 AND started_at = $2 AND done_at IS NULL
"""
_DELETE = """
DELETE FROM calendly_booking_command
WHERE public_id = $1 AND started_at = $2 AND done_at IS NULL
"""


class PiccoloBookingCommands:
    """Implements the BookingCommands port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def open(self, command: BookingCommand) -> tuple[BookingCommand, bool]:
        """Record or take over in one statement; of two concurrent calls, one may act.

        Raises:
            IntegrationNotFound: the user does not exist.

        """
        values = (
            command.id,
            command.user_id,
            command.key,
            str(command.operation),
            command.fingerprint,
            command.started_at,
            command.lease_until,
            command.sent,
            command.done_at,
            command.booking_id,
        )
        row = await self._session.row(_OPEN, *values)
        if row is not None:
            return _to_command(row, command.user_id), True
        recorded = await self._session.row(_RECORDED, command.user_id, command.key)
        if recorded is None:
            raise IntegrationNotFound("No Calendly account is connected.")
        return _to_command(recorded, command.user_id), False

    async def mark_sent(
        self, command: BookingCommand, now: datetime, lease_until: datetime
    ) -> bool:
        values = (command.id, command.started_at, now, lease_until)
        row = await self._session.row(_MARK_SENT, *values)
        return row is not None

    async def finish(self, command: BookingCommand, booking_id: BookingId, now: datetime) -> None:
        await self._session.run(_FINISH, command.id, command.started_at, now, booking_id)

    async def release(self, command: BookingCommand, *, sent: bool) -> None:
        statement = _RELEASE if sent else _DELETE
        await self._session.run(statement, command.id, command.started_at)


def _to_command(row: Any, user_id: UserId) -> BookingCommand:
    booking_id = row["booking_id"]
    return BookingCommand(
        id=CommandId(row["public_id"]),
        user_id=user_id,
        key=row["key"],
        operation=Operation(row["operation"]),
        fingerprint=row["fingerprint"],
        started_at=row["started_at"],
        lease_until=row["lease_until"],
        done_at=row["done_at"],
        booking_id=None if booking_id is None else BookingId(booking_id),
        sent=row["sent"],
    )
