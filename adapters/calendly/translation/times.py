"""Times between the wire and the domain, which knows UTC alone."""

from datetime import UTC, datetime


def utc(time: datetime) -> datetime:
    """Return an aware time in UTC."""
    try:
        return time.astimezone(UTC)
    except OverflowError:  # an offset that leads out of the calendar, at its very ends
        return time.replace(tzinfo=UTC)


def maybe_utc(time: datetime | None) -> datetime | None:
    """Return an aware time in UTC, or None as it came."""
    return None if time is None else utc(time)


def to_wire(time: datetime) -> str:
    """Return a time as Calendly writes it, for example `2026-12-02T20:00:00Z`."""
    return utc(time).isoformat().replace("+00:00", "Z")
