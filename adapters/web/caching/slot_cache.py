"""The open slots of a whole window as bytes, from which answers for ranges are joined.

The rule not to break: an answer is, to the byte and with its ETag, the one that the route encodes
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
from adapters.web.schemas.availability import Slot
from adapters.web.schemas.host_times import Availability
from application.availability.slot_window import SlotWindow
from domain.availability import Window
from domain.ids import IntegrationId

_encode = msgspec.json.Encoder().encode
_OVERHEAD = 4096  # bytes of a kept window beside its slots, at most about
_NO_SLOTS = b'"slots":[]'
_TAG_BYTES = 16


class Frame(NamedTuple):
    """The JSON of an answer around its range and its slots.

    Args:
        opening: what stands before the range.
        middle: between the range and the slots.
        closing: after the slots.

    """

    opening: bytes
    middle: bytes
    closing: bytes

    @classmethod
    def of(cls, body: Availability) -> Self:
        """Return the frame of an answer."""
        content = _encode(msgspec.structs.replace(body, slots=()))
        opening, rest = content.split(span_text(body.start, body.end), 1)
        middle, closing = rest.split(_NO_SLOTS, 1)
        return cls(opening, middle + _NO_SLOTS[:-1], b"]" + closing)


class FrameTag:
    """The strong tag of answers that differ by their range (RFC 9110, 8.8.3).

    At one version of an integration's availability, what stands around the slots decides which
    slots they are: the event type, the range, how far it is covered, and from when it is.
    """

    def __init__(self, integration_id: IntegrationId, version: int, frame: Frame) -> None:
        begun = b"%s %d %s" % (integration_id.bytes, version, frame.opening)
        self._begun = blake2b(begun, digest_size=_TAG_BYTES)
        self._rest = frame.middle + frame.closing

    def of(self, span: bytes) -> bytes:
        """Return the tag of the answer for a range, given as it stands in the JSON."""
        tag = self._begun.copy()
        tag.update(span + self._rest)
        return b'"%s"' % tag.hexdigest().encode()


class RenderedSlots:
    """Implements Kept: answers every range of a window."""

    def __init__(
        self,
        window: SlotWindow,
        frame: Frame,
        basis: Validity,
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
        self._tag = FrameTag(basis.integration_id, basis.version, frame)
        self._headers = headers
        self.basis = basis
        self.noted_at = now

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        numbers = (each.itemsize * len(each) for each in (self._starts, self._offsets))
        return len(self._slots) + sum(numbers) + sum(map(len, self._frame)) + _OVERHEAD

    def reply(self, asked: CacheRequest, now: datetime) -> RawResponse | None:
        """Return the answer for the range that is asked for, or None when it is another's."""
        if asked.plain is None:
            return None
        span = self._window.valid_range(asked.plain.start, asked.plain.end, now)
        if span is None:
            return None
        text = span_text(span.start, span.end)
        etag = self._tag.of(text)
        if is_known(etag, asked.if_none_match):
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
    """Whether its slots are stored in order of time, so that a range of them is one piece."""
    return all(one.start <= other.start for one, other in pairwise(window.slots))


def span_text(start: datetime, end: datetime) -> bytes:
    """Return a range as it stands in an answer."""
    return b'"start":%s,"end":%s,' % (_encode(start), _encode(end))
