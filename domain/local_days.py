"""Times of a calendar by the local days of one timezone.

A day has 23 or 25 hours when clocks change, and an hour can occur twice. So a time always keeps
its UTC offset, which distinguishes the two.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.availability import Slot
from domain.errors import InvalidTimezone


class LocalSlot(NamedTuple):
    """A slot with its start as the clocks of a timezone show it, offset included."""

    local: datetime
    slot: Slot


class LocalDay(NamedTuple):
    """The slots that begin on one day of a timezone, in order of time."""

    date: date
    slots: tuple[LocalSlot, ...]


def local_days(slots: Iterable[Slot], zone: tzinfo) -> list[LocalDay]:
    """Return the days of a timezone on which slots begin; days without slots are left out."""
    # Sorted by the moment: sorted by local time, an hour that occurs twice would be mixed.
    ordered = sorted(slots, key=lambda slot: slot.start)
    local_slots = [LocalSlot(slot.start.astimezone(zone), slot) for slot in ordered]
    return [
        LocalDay(day, tuple(of_day))
        for day, of_day in groupby(local_slots, key=lambda each: each.local.date())
    ]


# Files beside the timezones that are not timezones, or that depend on the machine's settings.
# The times of `right/` count leap seconds, unlike all other clocks here.
_NO_TIMEZONES = frozenset({"Factory", "localtime", "posixrules"})
_FOLDERS = ("posix/", "right/")


def zone_of(name: str) -> ZoneInfo:
    """Return the timezone of that IANA name.

    Raises:
        InvalidTimezone: the name is unknown; the message does not repeat it.

    """
    if name not in _NO_TIMEZONES and not name.startswith(_FOLDERS):
        with suppress(ValueError, OSError, ZoneInfoNotFoundError):
            return ZoneInfo(name)
    raise InvalidTimezone("timezone must be an IANA name, for example Europe/Berlin.")
