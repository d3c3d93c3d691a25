"""How long stored data is kept after its use has ended.

Calendly repeats a delivery for 24 hours, so the data that identifies a repetition has to outlive
that twice over: SHORTEST. A delivery that comes even later is applied again, which changes nothing:
the ordering rule of `domain.booking` is idempotent.
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
        dead_letters: webhook events that were given up: time for a person to fix and replay them.
        commands: booking commands that were carried out, for a repeated Idempotency-Key.
        connect_attempts: connect flows that were not completed.
        audit: entries of the audit trail.

    Raises:
        ValueError: events would be forgotten while Calendly may still repeat them.

    """

    settled: timedelta = timedelta(days=30)
    dead_letters: timedelta = timedelta(days=90)
    commands: timedelta = timedelta(days=7)
    connect_attempts: timedelta = timedelta(days=1)
    audit: timedelta = timedelta(days=400)

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
            audit=now - self.audit,
        )


class Cutoffs(msgspec.Struct, frozen=True):
    """Data that ended before these moments may be deleted (UTC)."""

    settled: datetime
    dead_letters: datetime
    commands: datetime
    connect_attempts: datetime
    audit: datetime
