"""Answers joined from a window, against those that are encoded as a whole."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.caching.response_cache import (
    CacheRequest,
    FixedHeaders,
    RawResponse,
    ResponseKey,
    Validity,
)
from adapters.web.caching.slot_cache import Frame, FrameTag, RenderedSlots, is_in_order, span_text
from adapters.web.caching.slot_range import PlainRange
from adapters.web.schemas.availability import Availability
from adapters.web.schemas.from_use_cases import availability_answer
from application.availability.read_slots import AvailabilityView
from application.availability.slot_window import SlotWindow
from domain.availability import Slot, Window, open_slots
from domain.ids import UserId
from tests.adapters.web import scenario

NOW = scenario.NOW
MONTH = timedelta(days=31)
HALF_AN_HOUR = timedelta(minutes=30)
KNOWN = Window(start=NOW - timedelta(minutes=1), end=NOW + MONTH)
USER = UserId(scenario.INTEGRATION)
# Names that look like the JSON around them.
NAME = '","start":"x","end":"y","slots":[],"é'
moments = st.timedeltas(timedelta(minutes=-1), MONTH).map(lambda after: NOW + after)
slots = st.lists(
    st.builds(Slot, moments, st.integers(1, 9), st.sampled_from(['https://x/"\\', "https://x/ü"])),
    max_size=40,
).map(lambda found: sorted(found, key=lambda each: each.start))
windows = st.lists(
    st.builds(
        lambda at, lasts: Window(at, at + lasts),
        moments,
        st.timedeltas(HALF_AN_HOUR, 9 * HALF_AN_HOUR),
    ),
    max_size=6,
)


def window_of(slots: Sequence[Slot], occupied: Sequence[Window] = ()) -> SlotWindow:
    """A window of a month, fresh for an hour."""
    horizon, until = timedelta(days=180), NOW + timedelta(hours=1)
    return SlotWindow(KNOWN, tuple(slots), tuple(occupied), HALF_AN_HOUR, horizon, until)


def answer_of(window: SlotWindow, start: datetime, end: datetime) -> Availability:
    """The answer for a range, as the route makes it."""
    found = open_slots(window.slots, Window(start, end), window.occupied, window.duration)
    view = AvailabilityView(
        event_type=scenario.event_type(NAME),
        slots=tuple(found),
        start=start,
        end=end,
        covered_until=KNOWN.end,
        age=scenario.age(),
        version=7,
        origin=scenario.origin(),
    )
    return availability_answer(view, None)


def validity(version: int = 7) -> Validity:
    """The validity of the responses."""
    return Validity(USER, scenario.origin().integration_id, version, NOW, NOW + HALF_AN_HOUR, ())


def rendered(window: SlotWindow) -> RenderedSlots:
    """The window as it is kept after some range of it was answered."""
    frame = Frame.of(answer_of(window, NOW, NOW + timedelta(days=1)))
    return RenderedSlots(window, frame, validity(), FixedHeaders((), ()), NOW)


def asked(start: datetime, end: datetime, etag: bytes | None = None) -> CacheRequest:
    """A question for a range."""
    return CacheRequest(ResponseKey(b"", b"", "", b""), etag, PlainRange(b"intro", start, end))


def reply(window: SlotWindow, start: datetime, end: datetime) -> RawResponse | None:
    """The answer for a range."""
    return rendered(window).respond(asked(start, end), NOW)


@given(
    slots=slots, occupied=windows, edges=st.tuples(moments, moments).filter(lambda e: e[0] != e[1])
)
def test_every_range_has_the_response_of_the_route(
    slots: list[Slot], occupied: list[Window], edges: tuple[datetime, datetime]
) -> None:
    """Any range of a window has the bytes, the ETag and the length of the route's answer."""
    (start, end), window = sorted(edges), window_of(slots, occupied)
    if end - start > MONTH:
        end = start + MONTH
    body = answer_of(window, start, end)

    found = reply(window, start, end)

    assert found is not None
    assert found.body == msgspec.json.encode(body)
    tag = FrameTag(validity().integration_id, 7, Frame.of(body)).of(span_text(start, end))
    assert dict(found.headers) == {b"content-length": b"%d" % len(found.body), b"etag": tag}


@given(slots=slots, at=st.integers(0, 39))
def test_a_range_begins_with_its_first_slot_and_ends_before_its_end(
    slots: list[Slot], at: int
) -> None:
    """A slot that begins as the range does is in it; one that begins as it ends is not."""
    start = slots[at % len(slots)].start if slots else NOW
    if start >= KNOWN.end - HALF_AN_HOUR:
        return
    window = window_of(slots)
    for span in ((start, start + HALF_AN_HOUR), (start - timedelta(microseconds=1), start)):
        found = reply(window, *span) if span[0] >= KNOWN.start else None

        assert found is None or found.body == msgspec.json.encode(answer_of(window, *span))


def test_tags_distinguish_responses() -> None:
    """Another range, version, integration or age is another tag; the same is always the same."""
    day = timedelta(days=1)
    body = answer_of(window_of([]), NOW, NOW + day)
    one, other = validity().integration_id, UserId(scenario.INTEGRATION.__class__(int=9))
    older = msgspec.structs.replace(
        body, cache=msgspec.structs.replace(body.cache, fetched_at=NOW - day)
    )
    span, later = span_text(NOW, NOW + day), span_text(NOW, NOW + 2 * day)

    tags = [
        FrameTag(one, 7, Frame.of(body)).of(span),
        FrameTag(one, 7, Frame.of(body)).of(later),
        FrameTag(one, 8, Frame.of(body)).of(span),
        FrameTag(other, 7, Frame.of(body)).of(span),  # type: ignore[arg-type]
        FrameTag(one, 7, Frame.of(older)).of(span),
    ]

    assert len(set(tags)) == len(tags)
    assert FrameTag(one, 7, Frame.of(body)).of(span) == tags[0]


def test_a_caller_with_the_response_gets_304() -> None:
    """With the tag of this very range the answer is 304, and with another range's it is 200."""
    kept, day = rendered(window_of([scenario.slot(5)])), timedelta(days=1)
    first = kept.respond(asked(NOW, NOW + day), NOW)
    assert first is not None
    etag = dict(first.headers)[b"etag"]

    same = kept.respond(asked(NOW, NOW + day, etag), NOW)
    other = kept.respond(asked(NOW, NOW + 2 * day, etag), NOW)

    assert same == RawResponse(304, ((b"etag", etag),), b"")
    assert other is not None
    assert other.status == 200


def test_unordered_slots_are_not_split() -> None:
    """A window is cut in one piece only if its slots are stored in order of time."""
    early, late = scenario.slot(5), scenario.slot(30)

    assert is_in_order(window_of([early, early, late]))
    assert not is_in_order(window_of([late, early]))


def test_a_cached_response_knows_its_size() -> None:
    """A window takes about the bytes of its slots, so that memory is bounded."""
    few, many = (rendered(window_of([scenario.slot(5)] * count)).size for count in (10, 1010))

    assert 60_000 < many - few < 200_000
