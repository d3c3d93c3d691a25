"""Users whose cache is full, and the requests that read it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import httpx
from msgspec.structs import replace

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from application.cached_values import Values, encode
from application.ports.availability_cache import CachedPart, Part
from bench.availability.calendly.hosts import EVENT_TYPES, SCOPE, Host
from bench.population import Grant, connect
from bench.stage import Stage
from domain.availability import EventType, Slot, Window
from domain.ids import IntegrationId, UserId

PATH = "/api/calendly/availability"
SLOTS = 200
_EVERY = timedelta(hours=1)
_RANGE = _EVERY * (SLOTS + 1)
_A_DAY = timedelta(days=1)


class Reader(NamedTuple):
    """Who reads what: an API key, a user, an event type and a range of SLOTS slots."""

    api_key: str
    user: UUID
    event_type: str
    start: datetime

    def request(self, *, later: timedelta = timedelta(0), etag: str | None = None) -> bytes:
        """Return the request as it goes over the wire (HTTP/1.1).

        Args:
            later: how much later the range begins and ends; below an hour the slots stay.
            etag: of the answer that the reader has.

        """
        start = self.start + later
        query = urlencode(
            {
                "event_type": self.event_type,
                "start": start.isoformat(),
                "end": (start + _RANGE).isoformat(),
            }
        )
        lines = [
            f"GET {PATH}?{query} HTTP/1.1",
            "Host: 127.0.0.1",
            "Accept: application/json",
            f"Authorization: Bearer {self.api_key}",
            f"X-User-Id: {self.user}",
        ]
        if etag is not None:
            lines.append(f"If-None-Match: {etag}")
        return "\r\n".join([*lines, "", ""]).encode()

    async def answer(self, url: str) -> httpx.Response:
        """Read it once from a server."""
        head = self.request().decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        async with httpx.AsyncClient(base_url=url) as http:
            response = await http.get(head[0].split(" ")[1], headers=headers)
        response.raise_for_status()
        return response


async def warmed(stage: Stage, count: int) -> list[Reader]:
    """Connect so many users whose event types and slots are cached, and fresh."""
    hosts = [Host(number) for number in range(count)]
    grants = [Grant(h.uri, "organization", h.token, f"refresh-{h.tag}", SCOPE) for h in hosts]
    ids = await connect(stage, grants, lasting=_A_DAY)
    now = datetime.now(UTC).replace(microsecond=0)
    start = now + timedelta(minutes=30)
    async with open_services(load_settings(stage.environment)) as services:
        _, api_key = await services.manage_api_keys.create("bench")
        for key, host in zip(ids, hosts, strict=True):
            async with services.storage() as uow:
                parts = _parts(host, now, start)
                await uow.availability.put(UserId(key), IntegrationId(key), parts)
                await uow.commit()
    return [
        Reader(api_key.reveal(), key, host.event_type_uri(0).rsplit("/", 1)[-1], start)
        for key, host in zip(ids, hosts, strict=True)
    ]


def _parts(host: Host, now: datetime, start: datetime) -> Sequence[CachedPart]:
    kind = EVENT_TYPES[0]
    page = f"https://calendly.com/host-{host.tag}/{kind.slug}"
    uri = host.event_type_uri(kind.number)
    event_type = EventType(
        uri=uri, name=kind.name, active=True, duration=30, kind="solo", scheduling_url=page
    )
    begins = [start + _EVERY * number + _EVERY / 2 for number in range(SLOTS)]
    slots = [Slot(start=at, seats=1, scheduling_url=f"{page}/{at:%FT%TZ}") for at in begins]
    covers = Window(start=now, end=now + timedelta(days=31))
    return [
        _part(Part.EVENT_TYPES, "", [event_type], now),
        replace(_part(Part.SLOTS, uri, slots, now), covers=covers),
    ]


def _part(part: Part, key: str, values: Values, now: datetime) -> CachedPart:
    return CachedPart(part=part, key=key, content=encode(values), fetched_at=now)
