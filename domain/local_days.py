"""Times of a calendar as the people of one timezone read it: by their own days.

A day there has 23 or 25 hours when clocks are changed, and an hour may come twice. So a time is
never told by its hour alone: it keeps its UTC offset, which tells the two apart.
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
    """What begins on one day of a timezone, in the order in which it happens."""

    date: date
    slots: tuple[LocalSlot, ...]


def local_days(slots: Iterable[Slot], zone: tzinfo) -> list[LocalDay]:
    """Return the days of a timezone on which slots begin; a day without any is left out."""
    # Sorted by the moment: by the clock, the hour that comes twice would be mixed.
    ordered = sorted(slots, key=lambda slot: slot.start)
    told = [LocalSlot(slot.start.astimezone(zone), slot) for slot in ordered]
    return [
        LocalDay(day, tuple(found))
        for day, found in groupby(told, key=lambda each: each.local.date())
    ]


# What lies among the files and is no timezone, or is whatever this machine was set to. The times
# of `right/` count leap seconds, which no other clock here does.
_NONE_OF_THEM = frozenset({"Factory", "localtime", "posixrules"})
_FOLDERS = ("posix/", "right/")


def zone_of(name: str) -> ZoneInfo:
    """Return the timezone of that name.

    Raises:
        InvalidTimezone: there is none; the name is not repeated.

    """
    if name not in _NONE_OF_THEM and not name.startswith(_FOLDERS):
        with suppress(ValueError, OSError, ZoneInfoNotFoundError):
            return ZoneInfo(name)
    raise InvalidTimezone("timezone must be an IANA name, for example Europe/Berlin.")
