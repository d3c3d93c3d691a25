"""The waits that Calendly itself asked of a user's calls."""

from datetime import datetime
from typing import Protocol


class RateLimits(Protocol):
    """Remembers the last 429 of each user, in this process."""

    def paused_until(self, user_uri: str) -> datetime | None:
        """Return until when Calendly itself asked the user's calls to rest (UTC).

        None if Calendly asked for none, or its wait is over. A request that our own rate limit
        refused does not count.
        """
        ...
