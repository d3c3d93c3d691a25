"""Timezones by their IANA name, from the machine's files or the package tzdata."""

from contextlib import suppress
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import InvalidTimezone

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
