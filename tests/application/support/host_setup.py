"""A host who offers meetings, as Calendly knows it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from application.ports.storage.availability_cache import CacheEntry, CacheKey, Scope
from domain.availability import BusyTime, EventType, Schedule
from domain.integration import Integration, Subscription
from tests.application.support.building import Product
from tests.fakes.clock import NOON

TOMORROW = NOON + timedelta(days=1)
A_DAY = timedelta(days=1)
A_MOMENT = timedelta(seconds=1)


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


def invalidations(product: Product, of: Host) -> set[tuple[datetime, str]]:
    """Return when the host's cache was invalidated, and the reasons."""
    return set(product.storage.state.integrations[of.integration.id].invalidated.values())


async def subscribe(product: Product, of: Host) -> None:
    """Let the host have a webhook subscription from now on."""
    made = Subscription(key="key", state="active", healthy_at=product.clock.now())
    async with product.storage() as uow:
        await uow.integrations.put_subscription(of.integration.id, made)
        await uow.commit()


async def invalidate_cache(
    product: Product, found: Host, by: str = "invitee.created", scope: Scope = Scope.BOOKINGS
) -> None:
    """Invalidate a host's cache, with a moment before and after."""
    product.clock.advance(A_MOMENT)
    async with product.storage() as uow:
        now = product.clock.now()
        await uow.availability.invalidate([found.integration.user_id], now, by=by, scope=scope)
        await uow.commit()
    product.clock.advance(A_MOMENT)


async def cached(product: Product, found: Host, key: CacheKey) -> CacheEntry | None:
    """Return a part as it is cached."""
    async with product.storage() as uow:
        return await uow.availability.read(found.integration.user_id, key.kind, key.key)


async def mark_read(product: Product, found: Host, *reads: CacheKey) -> None:
    """Write that parts were read just now."""
    async with product.storage() as uow:
        now = product.clock.now()
        await uow.availability.mark_read({(found.integration.user_id, at): now for at in reads})
        await uow.commit()
