"""How long what was stored is kept once nobody needs it.

Calendly repeats a delivery for 24 hours, so what tells a repetition from something new has to
outlive that twice over: SHORTEST. What comes later than it was kept is applied again, which
changes nothing: the ordering rule of `domain.booking` is idempotent.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

SHORTEST: Final = timedelta(days=2)
"""No event may be forgotten sooner (Calendly: webhook retries, 24 hours)."""


class Retention(msgspec.Struct, frozen=True):
    """How long each thing is kept after it was over.

    Args:
        settled: webhook events that were applied or ignored.
        dead_letters: webhook events that were given up: time for a person to mend and replay.
        commands: booking commands that were carried out, for a repeated Idempotency-Key.
        connect_attempts: connect flows that nobody ended.

    Raises:
        ValueError: events would be forgotten while Calendly may still repeat them.

    """

    settled: timedelta = timedelta(days=30)
    dead_letters: timedelta = timedelta(days=90)
    commands: timedelta = timedelta(days=7)
    connect_attempts: timedelta = timedelta(days=1)

    def __post_init__(self) -> None:
        if min(self.settled, self.dead_letters) < SHORTEST:
            raise ValueError("webhook events must be kept for two days at least")

    def over(self, now: datetime) -> "Cutoffs":
        """Return the moments before which each thing is over (UTC)."""
        return Cutoffs(
            settled=now - self.settled,
            dead_letters=now - self.dead_letters,
            commands=now - self.commands,
            connect_attempts=now - self.connect_attempts,
        )


class Cutoffs(msgspec.Struct, frozen=True):
    """What ended before these moments may go (UTC)."""

    settled: datetime
    dead_letters: datetime
    commands: datetime
    connect_attempts: datetime
