"""The open slots of a whole window as bytes, from which responses for ranges are joined.

The rule not to break: a response is, to the byte and with its ETag, the one that the route encodes
for the same range.
"""

from array import array
from bisect import bisect_left
from datetime import datetime
from hashlib import blake2b
from itertools import accumulate, pairwise
from typing import NamedTuple, Self

import msgspec

from adapters.web.caching.etags import is_known
from adapters.web.caching.response_cache import CacheRequest, FixedHeaders, RawResponse, Validity
from adapters.web.schemas.availability import Availability, Slot
from application.availability.slot_window import SlotWindow
from domain.availability import Window
from domain.ids import IntegrationId

_encode = msgspec.json.Encoder().encode
_OVERHEAD = 4096  # bytes of a cached window beside its slots, an upper estimate
_NO_SLOTS = b'"slots":[]'
_TAG_BYTES = 16


class Frame(NamedTuple):
    """The JSON of a response around its range and its slots.

    Args:
        opening: the bytes before the range.
        middle: the bytes between the range and the slots.
        closing: the bytes after the slots.

    """

    opening: bytes
    middle: bytes
    closing: bytes

    @classmethod
    def of(cls, body: Availability) -> Self:
        content = _encode(msgspec.structs.replace(body, slots=()))
        opening, rest = content.split(span_text(body.start, body.end), 1)
        middle, closing = rest.split(_NO_SLOTS, 1)
        return cls(opening, middle + _NO_SLOTS[:-1], b"]" + closing)


class FrameTag:
    """The strong tag of responses that differ by their range (RFC 9110, 8.8.3).

    At one version of an integration's availability, the range and its frame determine the slots.
    The frame has the event type, the covered time and the time of the fetch.
    """

    def __init__(self, integration_id: IntegrationId, version: int, frame: Frame) -> None:
        prefix = b"%s %d %s" % (integration_id.bytes, version, frame.opening)
        self._prefix = blake2b(prefix, digest_size=_TAG_BYTES)
        self._suffix = frame.middle + frame.closing

    def of(self, span: bytes) -> bytes:
        """Return the tag of the response for a range, which is given as in the JSON."""
        tag = self._prefix.copy()
        tag.update(span + self._suffix)
        return b'"%s"' % tag.hexdigest().encode()


class RenderedSlots:
    """Implements CachedResponse: the responses for all ranges of a window."""

    def __init__(
        self,
        window: SlotWindow,
        frame: Frame,
        validity: Validity,
        headers: FixedHeaders,
        now: datetime,
    ) -> None:
        slots = window.open_slots()
        encoded = [_encode(Slot(each.start, each.seats, each.scheduling_url)) for each in slots]
        self._slots = b",".join(encoded)
        self._starts = array("d", (each.start.timestamp() for each in slots))
        self._offsets = array("L", accumulate((len(each) + 1 for each in encoded), initial=0))
        self._window = msgspec.structs.replace(window, slots=(), occupied=())
        self._frame = frame
        self._tag = FrameTag(validity.integration_id, validity.version, frame)
        self._headers = headers
        self.validity = validity
        self.noted_at = now

    @property
    def size(self) -> int:
        numbers = (each.itemsize * len(each) for each in (self._starts, self._offsets))
        return len(self._slots) + sum(numbers) + sum(map(len, self._frame)) + _OVERHEAD

    def respond(self, request: CacheRequest, now: datetime) -> RawResponse | None:
        """Return the response for the requested range, or None if another window is required."""
        if request.plain is None:
            return None
        span = self._window.valid_range(request.plain.start, request.plain.end, now)
        if span is None:
            return None
        text = span_text(span.start, span.end)
        etag = self._tag.of(text)
        if is_known(etag, request.if_none_match):
            return RawResponse(304, (*self._headers.unchanged, (b"etag", etag)), b"")
        frame = self._frame
        within = self._within(span)
        body = b"".join((frame.opening, text, frame.middle, within, frame.closing))
        own = ((b"content-length", b"%d" % len(body)), (b"etag", etag))
        return RawResponse(200, (*self._headers.sent, *own), body)

    def _within(self, span: Window) -> memoryview | bytes:
        first = bisect_left(self._starts, span.start.timestamp())
        last = bisect_left(self._starts, span.end.timestamp(), lo=first)
        if first == last:
            return b""
        return memoryview(self._slots)[self._offsets[first] : self._offsets[last] - 1]


def is_in_order(window: SlotWindow) -> bool:
    """Whether its slots are in order of time, so that a range of them is one piece."""
    return all(one.start <= other.start for one, other in pairwise(window.slots))


def span_text(start: datetime, end: datetime) -> bytes:
    """Return a range as in the JSON of a response."""
    return b'"start":%s,"end":%s,' % (_encode(start), _encode(end))
