from datetime import datetime

import pytest

from domain.integration import Gap
from domain.lost_webhooks import IN_FLIGHT, Expected, expected_of, is_overdue
from domain.reconciliation import Missed
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
def test_a_webhook_is_overdue_that_had_to_come_and_will_not(
    at: datetime, since: datetime | None, gap: Gap | None, overdue: bool
) -> None:
    """What happened before the first subscription, or just now, was not lost."""
    missed = Missed(at, frozenset({"invitee.created"}))

    assert is_overdue(missed, Expected(since, gap), NOW) is overdue


def test_an_integration_expects_what_happens_once_it_is_subscribed() -> None:
    """Connecting alone makes nobody tell us anything."""
    assert expected_of(integration(subscribed_since=SINCE, gap=GAP)) == Expected(SINCE, GAP)
    assert expected_of(integration()) == Expected(None, None)
