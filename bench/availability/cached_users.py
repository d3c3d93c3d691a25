"""Users whose availability is cached and fresh, and the requests that read it."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from application.availability.cache_entries import encode
from application.ports.storage.availability_cache import CacheEntry, CacheKind
from bench.availability.simulated_calendly import Host, connect_hosts
from bench.bare_server import AVAILABILITY
from bench.http_load import http_request
from bench.stack import Stack
from domain.availability import EventType, Slot, Window
from domain.ids import IntegrationId, UserId

SLOTS = 200
# The number of slots of each range in turn, SLOTS on average.
RANGE_SIZES: Final = range(SLOTS - 10, SLOTS + 11)
_INTERVAL = timedelta(hours=1)  # between two slots
_WINDOW = timedelta(days=31)
_CACHED_SLOTS = _WINDOW // _INTERVAL
_MILLISECOND = timedelta(milliseconds=1)


class CachedUser(NamedTuple):
    """A user, an API key that may read it, and an event type with its first slot."""

    api_key: str
    user_id: UUID
    event_type: str
    first_slot: datetime

    def random_range(self, slots: int) -> dict[str, str]:
        """Return the parameters of a random range of so many slots, different in every call."""
        free = (_CACHED_SLOTS - slots - 2) * _INTERVAL
        start = self.first_slot + _MILLISECOND * secrets.randbelow(free // _MILLISECOND)
        # Without milliseconds one body would be shorter than the others.
        start = start if start.microsecond else start + _MILLISECOND
        end = start + slots * _INTERVAL
        return {
            "event_type": self.event_type,
            "start": start.isoformat(timespec="milliseconds"),
            "end": end.isoformat(timespec="milliseconds"),
        }

    def request(self, params: dict[str, str], **headers: str) -> bytes:
        """Return a read as it goes over the wire (HTTP/1.1)."""
        fields = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.api_key}",
            "X-User-Id": str(self.user_id),
        }
        return http_request("GET", f"{AVAILABILITY}?{urlencode(params)}", fields | headers)


async def connect_cached_users(stack: Stack, count: int) -> list[CachedUser]:
    """Connect so many users, and store their event types and slots in the cache."""
    ids = await connect_hosts(stack, range(count), sync_in=timedelta(days=1))
    now = datetime.now(UTC).replace(microsecond=0)
    first_slot = now + timedelta(minutes=30)
    async with open_services(load_settings(stack.environment)) as services:
        _, api_key = await services.manage_api_keys.create("bench")
        for number, key in enumerate(ids):
            async with services.storage() as uow:
                parts = _cached_parts(Host(number), now, first_slot)
                await uow.availability.put(UserId(key), IntegrationId(key), parts)
                await uow.commit()
    return [
        CachedUser(
            api_key.reveal(), key, Host(number).event_type_uri(0).rsplit("/", 1)[-1], first_slot
        )
        for number, key in enumerate(ids)
    ]


def _cached_parts(host: Host, now: datetime, first_slot: datetime) -> Sequence[CacheEntry]:
    page = f"https://calendly.com/host-{host.number:08x}/30min"
    event_type = EventType(
        uri=host.event_type_uri(0),
        name="30 Minute Meeting",
        active=True,
        duration=30,
        kind="solo",
        scheduling_url=page,
    )
    starts = [first_slot + _INTERVAL * number for number in range(_CACHED_SLOTS)]
    slots = [Slot(start=at, seats=1, scheduling_url=f"{page}/{at:%FT%TZ}") for at in starts]
    return [
        CacheEntry(
            kind=CacheKind.EVENT_TYPES, key="", content=encode([event_type]), fetched_at=now
        ),
        CacheEntry(
            kind=CacheKind.SLOTS,
            key=event_type.uri,
            content=encode(slots),
            fetched_at=now,
            covers=Window(start=now, end=now + _WINDOW),
        ),
    ]
