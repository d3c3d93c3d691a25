"""Calendly's own papers, where they are at hand: drift shows here first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.calendly.webhooks import CalendlyWebhookReader
from domain.booking import BookingStatus
from domain.reconciliation import settle
from domain.webhook import ParsedWebhook, Topic, topic

SAMPLES = Path(__file__).parents[4] / "shared" / "calendly" / "samples"


@pytest.fixture
def samples() -> Path:
    """The folder of the samples."""
    if not SAMPLES.is_dir():
        pytest.skip("../shared/calendly is absent: no samples to read")
    return SAMPLES


def bodies_in(folder: Path) -> Iterator[dict[str, Any]]:
    """Each webhook body in the folder."""
    for path in sorted(folder.glob("*.json")):
        found = msgspec.json.decode(path.read_bytes())
        yield from found.get("deliveries", [found])


def read(body: dict[str, Any]) -> ParsedWebhook:
    """Return what the reader makes of a sample."""
    return CalendlyWebhookReader().read(msgspec.json.encode(body))


def test_every_sample_is_read(samples: Path) -> None:
    """Each official body gives a notice with a subject, and bookings carry facts."""
    webhooks = [read(each) for each in bodies_in(samples)]

    assert len(webhooks) >= 8
    assert all(each.subject for each in webhooks)
    assert all(
        (each.facts is not None) == (topic(each.kind) is Topic.BOOKING) for each in webhooks
    )


@pytest.mark.parametrize("turned", [False, True])
def test_the_sample_reschedule_links_both_halves_in_either_order(
    samples: Path, *, turned: bool
) -> None:
    """A reschedule's two deliveries give the same two bookings in either order."""
    path = samples / "reschedule_two_deliveries_constructed.json"
    deliveries = msgspec.json.decode(path.read_bytes())["deliveries"]
    facts = [webhook.facts for webhook in map(read, deliveries) if webhook.facts]

    changes = settle({}, reversed(facts) if turned else facts)

    statuses = {each.facts.invitee_uri: each.facts.status for each in changes}
    assert statuses == {
        facts[0].invitee_uri: BookingStatus.RESCHEDULED,
        facts[1].invitee_uri: BookingStatus.BOOKED,
    }
    assert facts[0].successor == facts[1].invitee_uri
    assert facts[1].predecessor == facts[0].invitee_uri
