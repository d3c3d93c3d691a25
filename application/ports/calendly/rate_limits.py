"""What Calendly asked of a user's calls, in so many words."""

from datetime import datetime
from typing import Protocol


class RateLimits(Protocol):
    """Remembers the last 429 of each user, in this process."""

    def paused_until(self, user_uri: str) -> datetime | None:
        """Return until when Calendly itself asked the user's calls to rest (UTC).

        None when it did not, or when that time is over. A request that was held back here, for
        want of budget, is no such word.
        """
        ...
