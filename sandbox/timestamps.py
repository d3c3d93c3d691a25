"""Instants as Calendly writes and reads them: UTC, ISO 8601, six decimals, a final Z."""

from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> str:
    """`2023-07-21T16:47:30.268433Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def maybe_micros(instant: datetime | None) -> str | None:
    """As `micros`, with None for None."""
    return None if instant is None else micros(instant)


def whole_second(instant: datetime) -> str:
    """`2023-07-21T16:47:30.000000Z`, as the envelopes of webhook samples are stamped."""
    return micros(instant.replace(microsecond=0))


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; without an offset it is UTC.

    Raises ValueError when it is not one.
    """
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def from_seconds(seconds: float) -> datetime:
    """UNIX seconds to an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds_of(instant: datetime) -> int:
    """Whole UNIX seconds of an instant."""
    return int((instant - _EPOCH).total_seconds())
