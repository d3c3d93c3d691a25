"""Unchanged lists are not sent again."""

from collections.abc import Awaitable, Callable

import pytest

from application.ports.calendly.availability import Answer, Fetched, Unchanged
from domain.availability import BusyTime, EventType, Schedule, Slot, Window
from domain.token import Access
from tests.contracts.calendly.stage import Stage, access_of, ahead

Ask = Callable[[Stage, Access, Window, str | None], Awaitable[Answer[object]]]


async def event_types(
    stage: Stage, access: Access, _: Window, known: str | None
) -> Answer[EventType]:
    """Ask for the event types."""
    uri = stage.account.user_uri
    return await stage.availability.event_types(access, uri, known=known)


async def slots(stage: Stage, access: Access, span: Window, known: str | None) -> Answer[Slot]:
    """Ask for the open slots."""
    uri = stage.event_type_uri
    return await stage.availability.available_times(access, uri, span, known=known)


async def busy(stage: Stage, access: Access, span: Window, known: str | None) -> Answer[BusyTime]:
    """Ask for the busy times."""
    uri = stage.account.user_uri
    return await stage.availability.busy_times(access, uri, span, known=known)


async def schedules(
    stage: Stage, access: Access, _: Window, known: str | None
) -> Answer[Schedule]:
    """Ask for the schedules."""
    uri = stage.account.user_uri
    return await stage.availability.schedules(access, uri, known=known)


ALL = [event_types, slots, busy, schedules]


async def whole(ask: Ask, stage: Stage, access: Access, span: Window) -> Fetched[object]:
    """Ask without a tag."""
    answer = await ask(stage, access, span, None)
    assert isinstance(answer, Fetched)
    return answer


@pytest.mark.parametrize("ask", ALL)
async def test_a_list_that_did_not_change_is_not_sent_again(stage: Stage, ask: Ask) -> None:
    """A caller who names the tag of a list learns that it is unchanged."""
    access, span = await access_of(stage), ahead(days=6)
    first = await whole(ask, stage, access, span)

    again = await ask(stage, access, span, first.etag)

    assert first.etag is not None
    assert again == Unchanged(first.etag)


@pytest.mark.parametrize("known", ['W/"0000"', "no tag", '"\r\nX-Other: 1"', "", "ü"])
async def test_an_unknown_tag_brings_the_whole_list(stage: Stage, known: str) -> None:
    """The tag of another list, or an invalid one, has the same effect as none."""
    access, span = await access_of(stage), ahead(days=6)

    for ask in ALL:
        assert await ask(stage, access, span, known) == await whole(ask, stage, access, span)


async def test_a_list_that_changed_comes_with_another_tag(stage: Stage) -> None:
    """A booking changes the slots, and with them their tag."""
    access, starts = await access_of(stage), await stage.open_slots()
    span = Window(starts[0], starts[3])
    first = await whole(slots, stage, access, span)
    await stage.invitee_books(starts[0])

    second = await slots(stage, access, span, first.etag)

    assert isinstance(second, Fetched)
    assert second.values == first.values[1:]
    assert second.etag not in {first.etag, None}


async def test_a_list_of_several_pages_has_no_tag(stage: Stage) -> None:
    """A page's tag says nothing of the next page, so a long list is always sent."""
    access, span = await access_of(stage), ahead(days=6)
    short = await whole(event_types, stage, access, span)
    await stage.offer(100)

    long = await whole(event_types, stage, access, span)

    assert short.etag is not None
    assert long.etag is None
    assert len(long.values) == len(short.values) + 100


@pytest.mark.parametrize("ask", ALL)
async def test_a_calendly_without_tags_sends_everything(stage: Stage, ask: Ask) -> None:
    """Where no tag is named, none is kept, and one of before spares nothing."""
    access, span = await access_of(stage), ahead(days=6)
    first = await whole(ask, stage, access, span)
    await stage.turn_etags_off()

    second = await ask(stage, access, span, first.etag)

    assert second == Fetched(first.values)
