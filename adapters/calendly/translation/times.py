"""Translate times between the wire and the domain, which uses UTC only."""

from datetime import UTC, datetime


def utc(time: datetime) -> datetime:
    """Return an aware time in UTC."""
    try:
        return time.astimezone(UTC)
    except OverflowError:  # near the ends of the calendar, the offset leads out of it
        return time.replace(tzinfo=UTC)


def maybe_utc(time: datetime | None) -> datetime | None:
    return None if time is None else utc(time)


def to_wire(time: datetime) -> str:
    """Return a time as Calendly writes it, for example `2026-12-02T20:00:00Z`."""
    return utc(time).isoformat().replace("+00:00", "Z")
