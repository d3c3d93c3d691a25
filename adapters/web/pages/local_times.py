"""Times as the page shows them: in the host's own timezone."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from domain.availability import Slot
from domain.errors import InvalidTimezone
from domain.local_days import local_days, zone_of

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class LocalClock(NamedTuple):
    """A timezone, and how times are written in it."""

    name: str
    zone: tzinfo

    def moment(self, moment: datetime) -> str:
        """Return day and time, `Thu 3 Dec, 14:30`."""
        return f"{self.day(moment)}, {self.time(moment)}"

    def day(self, moment: datetime) -> str:
        """Return the day, `Thu 3 Dec`."""
        local = moment.astimezone(self.zone)
        return f"{local:%a} {local.day} {local:%b}"

    def time(self, moment: datetime) -> str:
        """Return the time of day, `14:30`; in an hour that occurs twice with its zone: `02:30 CEST`."""
        local = moment.astimezone(self.zone)
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return f"{local:%H:%M %Z}" if twice else f"{local:%H:%M}"

    def by_day(self, slots: Iterable[Slot]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the times at which slots begin on each day, in order."""
        return tuple(
            (self.day(of_day[0].local), tuple(self.time(each.local) for each in of_day))
            for _date, of_day in local_days(slots, self.zone)
        )


def local_clock(timezone: str) -> LocalClock:
    """Return the clock of an IANA timezone; of UTC if the name is unknown."""
    try:
        return LocalClock(timezone, zone_of(timezone))
    except InvalidTimezone:
        return LocalClock("UTC", UTC)


def ago(then: datetime, now: datetime) -> str:
    """Return the time since a moment (UTC) in its largest unit: `3 minutes ago`."""
    seconds = int((now - then).total_seconds())
    for length, unit in _UNITS:
        count = seconds // length
        if count > 0:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
