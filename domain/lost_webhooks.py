"""Which of the things that readers were not told mean that a webhook was lost.

The rule not to break: only what Calendly had to tell, and can no longer tell, was lost. A count
above zero alerts a person.
"""

from datetime import datetime, timedelta

import msgspec

from domain.integration import Gap, Integration
from domain.reconciliation import Missed

IN_FLIGHT = timedelta(minutes=5)
"""Until then its webhook may still be on its way."""


class Expected(msgspec.Struct, frozen=True):
    """What Calendly had to tell us.

    Args:
        since: when the first subscription was made (UTC); None where there never was one.
        gap: when deliveries may have been given up.

    """

    since: datetime | None
    gap: Gap | None


def expected_of(integration: Integration) -> Expected:
    """Return what Calendly had to tell of an integration's bookings."""
    return Expected(since=integration.subscribed_since, gap=integration.gap)


def is_overdue(missed: Missed, expected: Expected, now: datetime) -> bool:
    """Whether its webhook had to come, and will not come any more.

    What happened before there was a subscription is nobody's loss. What fell into a gap is not
    waited for.
    """
    if expected.since is None or missed.at < expected.since:
        return False
    if missed.at <= now - IN_FLIGHT:
        return True
    return expected.gap is not None and missed.at <= expected.gap.until
