from datetime import datetime

import pytest

from domain.integration import Gap
from domain.reconciliation import IN_FLIGHT, Missed, is_overdue
from tests.domain.samples import NOW, integration, seconds

SINCE = NOW - seconds(3600)
GAP = Gap(since=NOW - seconds(60), until=NOW - seconds(30))


@pytest.mark.parametrize(
    ("at", "since", "gap", "overdue"),
    [
        (NOW - IN_FLIGHT, SINCE, None, True),
        (NOW - IN_FLIGHT + seconds(1), SINCE, None, False),
        (GAP.until, SINCE, GAP, True),
        (GAP.until + seconds(1), SINCE, GAP, False),
        (SINCE, SINCE, None, True),
        (SINCE - seconds(1), SINCE, None, False),
        (SINCE - seconds(1), SINCE, Gap(since=SINCE - seconds(9), until=NOW), False),
        (NOW - IN_FLIGHT, None, None, False),
        (GAP.until, None, GAP, False),
    ],
)
def test_a_webhook_is_overdue(
    at: datetime, since: datetime | None, gap: Gap | None, overdue: bool
) -> None:
    """A change before the first subscription, or a recent one outside a gap, was not lost."""
    missed = Missed(at, frozenset({"invitee.created"}))

    assert is_overdue(missed, integration(subscribed_since=since, gap=gap), NOW) is overdue


def test_an_integration_without_a_subscription_expects_no_webhook() -> None:
    """Connecting alone makes Calendly send nothing."""
    missed = Missed(NOW - IN_FLIGHT, frozenset({"invitee.created"}))

    assert not is_overdue(missed, integration(), NOW)
