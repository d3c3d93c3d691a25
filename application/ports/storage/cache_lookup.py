"""Looks at the availability cache, each by itself.

The rule not to break: a look is never taken within a unit of work, of which it is no part.
"""

from collections.abc import Sequence
from typing import Protocol

from application.ports.storage.availability_cache import CacheKey, CacheSnapshot
from domain.availability import Window
from domain.ids import UserId


class CacheLookup(Protocol):
    """What the cache holds of each user."""

    async def read(
        self, user_id: UserId, wanted: Sequence[CacheKey], *, occupied_in: Window | None = None
    ) -> CacheSnapshot | None:
        """Look up all that an answer needs, as of one moment and in one round trip.

        Args:
            user_id: whose.
            wanted: which parts; those that are not there are missing in the answer.
            occupied_in: the span whose booked times are wanted too, or None for no times. Times
                of bookings that another host has taken over are not among them.

        Returns:
            None when the user has no integration, or only one that is being disconnected.

        Raises:
            StorageUnavailable: the store did not say.

        """
        ...
