"""Users whose cache is full, and the requests that read it."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import httpx
from msgspec.structs import replace

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from application.availability.cache_entries import Values, encode
from application.ports.storage.availability_cache import CacheEntry, CacheKind
from bench.availability.calendly.hosts import EVENT_TYPES, SCOPE, Host
from bench.population import Grant, connect
from bench.stage import Stage
from domain.availability import EventType, Slot, Window
from domain.ids import IntegrationId, UserId

PATH = "/api/calendly/availability"
SLOTS = 200
# How many slots the ranges of a turn have, one after the other: SLOTS in the mean.
SPREAD: Final = range(SLOTS - 10, SLOTS + 11)
_EVERY = timedelta(hours=1)
_WINDOW = timedelta(days=31)
_KEPT = _WINDOW // _EVERY  # slots of a window
_A_DAY = timedelta(days=1)
_MOMENT = timedelta(milliseconds=1)


class Range(NamedTuple):
    """A range of so many slots."""

    start: datetime
    slots: int

    @property
    def end(self) -> datetime:
        """Its end, after the last slot."""
        return self.start + self.slots * _EVERY


class Reader(NamedTuple):
    """Who reads what: an API key, a user, an event type, and from when it is offered."""

    api_key: str
    user: UUID
    event_type: str
    begin: datetime

    def anywhere(self, slots: int) -> Range:
        """Return a range of so many slots at random within the window, which nobody asked for."""
        free = (_KEPT - slots - 2) * _EVERY
        at = self.begin + _MOMENT * secrets.randbelow(free // _MOMENT)
        # A millisecond that is not written would make one body shorter than the others.
        return Range(at if at.microsecond else at + _MOMENT, slots)

    def request(self, span: Range, *, etag: str | None = None, oddly: bool = False) -> bytes:
        """Return the request as it goes over the wire (HTTP/1.1).

        Args:
            span: the range.
            etag: of the answer that the reader has.
            oddly: with a parameter that means nothing, so that the route has to look at it.

        """
        odd = {"odd": ""} if oddly else {}
        query = urlencode(
            odd
            | {
                "event_type": self.event_type,
                "start": span.start.isoformat(timespec="milliseconds"),
                "end": span.end.isoformat(timespec="milliseconds"),
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

    async def answer(self, url: str, span: Range) -> httpx.Response:
        """Read a range once from a server."""
        head = self.request(span).decode().split("\r\n")
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


def _parts(host: Host, now: datetime, start: datetime) -> Sequence[CacheEntry]:
    kind = EVENT_TYPES[0]
    page = f"https://calendly.com/host-{host.tag}/{kind.slug}"
    uri = host.event_type_uri(kind.number)
    event_type = EventType(
        uri=uri, name=kind.name, active=True, duration=30, kind="solo", scheduling_url=page
    )
    begins = [start + _EVERY * number for number in range(_KEPT)]
    slots = [Slot(start=at, seats=1, scheduling_url=f"{page}/{at:%FT%TZ}") for at in begins]
    covers = Window(start=now, end=now + _WINDOW)
    return [
        _part(CacheKind.EVENT_TYPES, "", [event_type], now),
        replace(_part(CacheKind.SLOTS, uri, slots, now), covers=covers),
    ]


def _part(part: CacheKind, key: str, values: Values, now: datetime) -> CacheEntry:
    return CacheEntry(kind=part, key=key, content=encode(values), fetched_at=now)
