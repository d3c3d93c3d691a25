"""Reads of the availability cache outside any unit of work."""

from collections.abc import Sequence
from typing import Protocol

from application.ports.storage.availability_cache import CacheKey, CacheSnapshot
from domain.availability import Window
from domain.ids import UserId


class CacheLookup(Protocol):
    """Reads what a response needs. The rule not to break: never called in a unit of work."""

    async def read(
        self, user_id: UserId, wanted: Sequence[CacheKey], *, occupied_in: Window | None = None
    ) -> CacheSnapshot | None:
        """Read all that a response needs, as of one moment and in one round trip.

        Args:
            user_id: the user.
            wanted: the keys of the entries; entries that do not exist are missing in the result.
            occupied_in: the span whose booked times are wanted too, or None for no times. Bookings
                that another host has taken over are not included.

        Returns:
            None when the user has no integration, or only one that is being disconnected.

        Raises:
            StorageUnavailable: the store did not answer.

        """
        ...
