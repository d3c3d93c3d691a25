"""Times as the page shows them: in the host's own timezone."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Clockface(NamedTuple):
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
        """Return the time of day, `14:30`."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def by_day(self, moments: Iterable[datetime]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the times of each day, in order."""
        ordered = sorted(moments)
        return tuple(
            (day, tuple(self.time(each) for each in found))
            for day, found in groupby(ordered, self.day)
        )


def clockface(timezone: str) -> Clockface:
    """Return the clock of an IANA timezone; of one that is not known here, UTC's."""
    try:
        return Clockface(timezone, ZoneInfo(timezone))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return Clockface("UTC", UTC)
