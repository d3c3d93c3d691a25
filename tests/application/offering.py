"""A host who offers meetings, as Calendly knows it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from domain.availability import BusyTime, EventType, Schedule
from domain.integration import Integration
from tests.application.building import Product
from tests.fakes.clock import NOON

TOMORROW = NOON + timedelta(days=1)


class Host(NamedTuple):
    """A connected host with one event type of half an hour and three open slots tomorrow."""

    integration: Integration
    event_type: EventType
    starts: tuple[datetime, ...]


async def host(product: Product, external_id: str = "ada", *, kind: str = "solo") -> Host:
    """Connect a host who offers something."""
    integration = await product.connect(external_id)
    user_uri = integration.account.user_uri
    event_type = product.calendly.add_event_type(user_uri, kind=kind)
    starts = tuple(TOMORROW + timedelta(minutes=30 * number) for number in range(3))
    product.calendly.open_slots(event_type.uri, starts, seats=3 if kind == "group" else 1)
    product.calendly.busy[user_uri] = [
        BusyTime(kind="calendly", start=TOMORROW, end=TOMORROW + timedelta(hours=1))
    ]
    product.calendly.weekly[user_uri] = [
        Schedule(uri=f"{user_uri}/schedule", name="Hours", default=True, timezone="UTC", rules=())
    ]
    return Host(integration, event_type, starts)
