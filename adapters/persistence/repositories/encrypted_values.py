"""Every sealed column of the database, for changing the key that seals them.

The binding of each value is repeated here in SQL. It is part of the stored format and can never
change for stored values. A value that does not open is reported, not lost.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from adapters.persistence.database_clock import database_now
from adapters.persistence.session import Session
from application.ports.storage.encrypted_values import KeyCounts, SealedPage, SealedValue

STRETCH = 2_000  # rows that one statement looks at, wanted or not: each stays well below a second


class _Place(NamedTuple):
    """The place of sealed values.

    Args:
        table: their table, `s` in the expressions.
        joined: what the expressions need beside it.
        bound_to: what a value is bound to.
        owner: the public id to name a row by.
        free: whether no process has read the row to write it back; $4 is the caller's time (UTC).
        freeing: assignments that end an expired lease.

    """

    table: str
    bound_to: str
    owner: str = "s.public_id"
    joined: str = ""
    free: str = "true"
    freeing: str = ""


def _integration(column: str) -> _Place:
    # A refresh writes back the sealed pair that was read with its lease. Any process may take an
    # expired lease. Here it is taken and ended in one statement, so that its late holder changes
    # nothing any more, except for a new pair.
    return _Place(
        table="calendly_integration",
        bound_to=f"'calendly_integration:' || s.public_id || ':{column}'",
        free=f"(t.refresh_lease_until IS NULL OR t.refresh_lease_until <= {database_now('$4')})",
        freeing=", refresh_lease_owner = NULL, refresh_lease_until = NULL",
    )


def _attempt(part: str) -> _Place:
    return _Place(
        table="calendly_connect_attempt",
        bound_to=f"'calendly_connect_attempt:' || encode(s.state_hash, 'hex') || '{part}'",
        owner="u.public_id",
        joined="JOIN app_user u ON u.id = s.user_id",
    )


def _booking(link: str) -> _Place:
    return _Place(
        table="calendly_booking",
        bound_to=f"'calendly_booking:' || i.public_id || ':' || s.invitee_uri || ':{link}'",
        joined="JOIN calendly_integration i ON i.id = s.integration_id",
    )


_PLACES = {
    "calendly_integration.access_token_sealed": _integration("access"),
    "calendly_integration.refresh_token_sealed": _integration("refresh"),
    "calendly_connect_attempt.verifier_sealed": _attempt(""),
    "calendly_connect_attempt.code_sealed": _attempt(":code"),
    "calendly_webhook_event.body_sealed": _Place(
        table="calendly_webhook_event", bound_to="'calendly_webhook_event:' || s.public_id"
    ),
    "calendly_erasure_key.key_sealed": _Place(
        table="calendly_erasure_key", bound_to="'calendly_erasure_key:' || s.public_id"
    ),
    "calendly_booking.cancel_link_sealed": _booking("cancel"),
    "calendly_booking.reschedule_link_sealed": _booking("reschedule"),
}
# Of a long value only its beginning is read: format and key id have at most 35 characters.
_KEY_ID = "split_part(left(s.{name}, 40), '.', 2)"


class PiccoloSealedValues:
    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def columns(self) -> Sequence[str]:
        return tuple(_PLACES)

    async def page(
        self, column: str, after: int, limit: int, *, but_under: str | None
    ) -> SealedPage:
        place, name = _PLACES[column], _name(column)
        until = await self._end_of_stretch(place, after)
        if until is None:
            return SealedPage(values=(), after=None)
        rows = await self._session.rows(
            f"""
            SELECT s.id, {place.owner} AS owner, {place.bound_to} AS bound_to, s.{name} AS sealed
            FROM {place.table} s {place.joined}
            WHERE s.id > $1 AND s.id <= $2 AND s.{name} IS NOT NULL
                AND ($4::text IS NULL OR {_KEY_ID.format(name=name)} <> $4)
            ORDER BY s.id LIMIT $3
            """,
            after,
            until,
            limit,
            but_under,
        )
        values = tuple(
            SealedValue(
                row=row["id"], owner=row["owner"], bound_to=row["bound_to"], sealed=row["sealed"]
            )
            for row in rows
        )
        return SealedPage(values=values, after=values[-1].row if len(values) == limit else until)

    async def count(self, column: str, after: int) -> KeyCounts:
        place, name = _PLACES[column], _name(column)
        until = await self._end_of_stretch(place, after)
        if until is None:
            return KeyCounts(by_key={}, after=None)
        rows = await self._session.rows(
            f"""
            SELECT {_KEY_ID.format(name=name)} AS key_id, count(*) AS counted
            FROM {place.table} s
            WHERE s.id > $1 AND s.id <= $2 AND s.{name} IS NOT NULL GROUP BY 1
            """,
            after,
            until,
        )
        return KeyCounts(by_key={row["key_id"]: row["counted"] for row in rows}, after=until)

    async def replace(
        self, column: str, resealed: Sequence[tuple[SealedValue, str]], now: datetime
    ) -> int:
        """Lock what is free without waiting, then compare and set, in one statement.

        A statement that waits for no lock cannot be part of a deadlock.
        """
        place, name = _PLACES[column], _name(column)
        rows = await self._session.rows(
            f"""
            WITH wanted AS MATERIALIZED (
                SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])
                    AS w (id, before, after)
            ), held AS MATERIALIZED (
                SELECT t.id FROM {place.table} t
                WHERE t.id = ANY ($1) AND $4::timestamptz IS NOT NULL AND {place.free}
                FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE {place.table} t SET {name} = w.after {place.freeing}
            FROM wanted w JOIN held USING (id)
            WHERE t.id = w.id AND t.{name} = w.before AND {place.free}
            RETURNING t.id
            """,
            [value.row for value, _ in resealed],
            [value.sealed for value, _ in resealed],
            [after for _, after in resealed],
            now,
        )
        return len(rows)

    async def _end_of_stretch(self, place: _Place, after: int) -> int | None:
        row = await self._session.row(
            f"""
            SELECT max(id) AS until
            FROM (SELECT id FROM {place.table} WHERE id > $1 ORDER BY id LIMIT {STRETCH}) part
            """,
            after,
        )
        return None if row is None else row["until"]


def _name(column: str) -> str:
    return column.partition(".")[2]
