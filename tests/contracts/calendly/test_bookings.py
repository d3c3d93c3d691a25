from datetime import timedelta

import pytest

from domain.availability import Window
from domain.booking import BookingStatus, Facts
from domain.errors import CalendlyForbidden, CalendlyNotFound, CalendlyUncertain, SlotTaken
from domain.token import Access
from tests.contracts.calendly.stage import Stage, access_of, ahead, wanted


async def all_pages(stage: Stage, access: Access, span: Window) -> list[list[Facts]]:
    """Return every page of the user's bookings."""
    pages, token = [], None
    while True:
        page = await stage.bookings.page(access, stage.account.user_uri, span, token)
        pages.append(list(page.facts))
        token = page.next_page
        if token is None:
            return pages


async def test_a_booking_is_made_and_read_back(stage: Stage) -> None:
    """A booked invitee is active, with our reference, at the time asked for."""
    access, starts = await access_of(stage), await stage.open_slots()

    uri = await stage.bookings.book(access, wanted(stage, starts[0]))
    facts = await stage.bookings.invitee(access, uri)

    assert facts.invitee_uri == uri
    assert facts.status is BookingStatus.BOOKED
    assert facts.reference == "slotkeeper:contract"
    assert facts.details.event_type_uri == stage.event_type_uri
    assert (facts.details.start, facts.details.end) == (
        starts[0],
        starts[0] + timedelta(minutes=15),
    )
    assert facts.details.invitee.email == "grace@example.net"
    assert facts.details.invitee.timezone == "Europe/Zurich"
    assert facts.details.host_uris == (stage.account.user_uri,)
    assert facts.links.cancel
    assert facts.links.reschedule
    assert starts[0] not in await stage.open_slots()


async def test_a_slot_is_booked_once(stage: Stage) -> None:
    """The second request for a slot hears that it is taken."""
    access, starts = await access_of(stage), await stage.open_slots()
    await stage.bookings.book(access, wanted(stage, starts[0]))

    with pytest.raises(SlotTaken):
        await stage.bookings.book(access, wanted(stage, starts[0]))


async def test_a_booking_whose_answer_was_lost_is_found_again(stage: Stage) -> None:
    """After a lost answer the booking is there, known by its reference."""
    access, starts = await access_of(stage), await stage.open_slots()
    await stage.lose_next_answer("book")

    with pytest.raises(CalendlyUncertain):
        await stage.bookings.book(access, wanted(stage, starts[0]))
    span = Window(starts[0], starts[0] + timedelta(minutes=1))
    found = await stage.bookings.find(access, stage.account.user_uri, "grace@example.net", span)

    assert [each.reference for each in found] == ["slotkeeper:contract"]


async def test_an_unknown_event_type_cannot_be_booked(stage: Stage) -> None:
    """An event type that does not exist is not found."""
    access, starts = await access_of(stage), await stage.open_slots()
    request = wanted(stage, starts[0])
    unknown = request.event_type_uri.rpartition("/")[0] + "/AAAAAAAAAAAAAAAA"
    request = type(request)(
        event_type_uri=unknown,
        start=request.start,
        name=request.name,
        email=request.email,
        timezone=request.timezone,
        reference=request.reference,
    )

    with pytest.raises(CalendlyNotFound):
        await stage.bookings.book(access, request)


async def test_bookings_are_found_by_their_invitee(stage: Stage) -> None:
    """The bookings of one e-mail within the span are found, and no others."""
    access, starts = await access_of(stage), await stage.open_slots()
    first = await stage.invitee_books(starts[0], "iris@example.net")
    await stage.invitee_books(starts[1], "otto@example.net")
    await stage.invitee_books(starts[2], "iris@example.net")

    found = await stage.bookings.find(
        access, stage.account.user_uri, "iris@example.net", Window(starts[0], starts[2])
    )

    assert [each.invitee_uri for each in found] == [first]


async def test_bookings_are_found_in_the_organization(stage: Stage) -> None:
    """One e-mail's bookings with any host of the organization are found within the span."""
    access, starts = await access_of(stage), await stage.open_slots()
    first = await stage.invitee_books(starts[0], "iris@example.net")
    await stage.invitee_books(starts[1], "otto@example.net")

    found = await stage.bookings.find_in_organization(
        access, stage.account.organization_uri, "iris@example.net", Window(starts[0], starts[2])
    )

    assert [each.invitee_uri for each in found] == [first]


async def test_another_organization_is_not_searched(stage: Stage) -> None:
    """The bookings of an organization that is not the user's are refused."""
    access = await access_of(stage)
    other = stage.account.organization_uri.rpartition("/")[0] + "/AAAAAAAAAAAAAAAA"

    with pytest.raises((CalendlyForbidden, CalendlyNotFound)):
        await stage.bookings.find_in_organization(
            access, other, "iris@example.net", ahead(hours=1)
        )


async def test_all_invitees_of_an_event_are_read(stage: Stage) -> None:
    """The invitees of an event are read with their status; an unknown event has none."""
    access, starts = await access_of(stage), await stage.open_slots()
    uri = await stage.invitee_books(starts[0])
    event_uri = (await stage.bookings.invitee(access, uri)).event_uri
    await stage.bookings.cancel(access, event_uri, None)

    assert await stage.bookings.of_event(access, event_uri) == [
        await stage.bookings.invitee(access, uri)
    ]
    with pytest.raises(CalendlyNotFound):
        await stage.bookings.of_event(access, f"{event_uri.rpartition('/')[0]}/AAAAAAAAAAAAAAAA")


async def test_pages_hold_every_booking_of_the_span_once(stage: Stage) -> None:
    """Page by page every booking of a half-open span comes once, canceled ones included."""
    access, starts = await access_of(stage), await stage.open_slots()
    uris = [await stage.invitee_books(start) for start in starts[:6]]
    await stage.invitee_cancels(uris[1], "Ill")

    pages = await all_pages(stage, access, Window(starts[0], starts[5]))

    assert [each.invitee_uri for page in pages for each in page] == uris[:5]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [each.status for each in pages[0]] == [BookingStatus.BOOKED, BookingStatus.CANCELED]


async def test_an_empty_span_has_one_empty_page(stage: Stage) -> None:
    """Where nothing is booked there is nothing to follow."""
    access = await access_of(stage)

    assert await all_pages(stage, access, ahead(hours=1)) == [[]]


async def test_an_invitee_who_cancels_says_why(stage: Stage) -> None:
    """A cancellation by the invitee is read with its reason."""
    access, starts = await access_of(stage), await stage.open_slots()
    uri = await stage.invitee_books(starts[0])

    await stage.invitee_cancels(uri, "Ill")
    facts = await stage.bookings.invitee(access, uri)

    assert facts.status is BookingStatus.CANCELED
    assert facts.cancellation is not None
    assert (facts.cancellation.by_kind, facts.cancellation.reason) == ("invitee", "Ill")
    assert starts[0] in await stage.open_slots()


async def test_a_reschedule_links_both_halves(stage: Stage) -> None:
    """The old invitee names the new one and the other way round; only the new one is active."""
    access, starts = await access_of(stage), await stage.open_slots()
    old_uri = await stage.invitee_books(starts[0])

    new_uri = await stage.invitee_reschedules(old_uri, starts[1])
    old = await stage.bookings.invitee(access, old_uri)
    new = await stage.bookings.invitee(access, new_uri)

    assert (old.status, old.successor) == (BookingStatus.RESCHEDULED, new_uri)
    assert (new.status, new.predecessor) == (BookingStatus.BOOKED, old_uri)
    assert old.event_uri != new.event_uri


@pytest.mark.parametrize("reason", ["Host is ill", None])
async def test_an_event_is_canceled_once_however_often_it_is_asked(
    stage: Stage, reason: str | None
) -> None:
    """Canceling twice is canceling; the host is named as who did it."""
    access, starts = await access_of(stage), await stage.open_slots()
    uri = await stage.bookings.book(access, wanted(stage, starts[0]))
    event_uri = (await stage.bookings.invitee(access, uri)).event_uri

    await stage.bookings.cancel(access, event_uri, reason)
    await stage.bookings.cancel(access, event_uri, "Again")
    facts = await stage.bookings.invitee(access, uri)

    assert facts.status is BookingStatus.CANCELED
    assert facts.cancellation is not None
    assert (facts.cancellation.by_kind, facts.cancellation.reason) == ("host", reason)


async def test_a_no_show_is_marked_and_cleared_however_often_it_is_asked(stage: Stage) -> None:
    """A second marking keeps the first mark, a second clearing changes nothing."""
    access, starts = await access_of(stage), await stage.open_slots()
    uri = await stage.invitee_books(starts[0])

    mark = await stage.bookings.mark_no_show(access, uri)
    again = await stage.bookings.mark_no_show(access, uri)
    marked = await stage.bookings.invitee(access, uri)
    assert mark.uri is not None
    await stage.bookings.clear_no_show(access, mark.uri)
    await stage.bookings.clear_no_show(access, mark.uri)
    cleared = await stage.bookings.invitee(access, uri)
    anew = await stage.bookings.mark_no_show(access, uri)

    assert mark == again == marked.no_show
    assert cleared.no_show is None
    assert anew.uri != mark.uri


async def test_what_does_not_exist_is_not_found(stage: Stage) -> None:
    """An invitee and an event that do not exist are not found."""
    access = await access_of(stage)
    event = "https://api.calendly.com/scheduled_events/AAAAAAAAAAAAAAAA"

    with pytest.raises(CalendlyNotFound):
        await stage.bookings.invitee(access, f"{event}/invitees/AAAAAAAAAAAAAAAA")
    with pytest.raises(CalendlyNotFound):
        await stage.bookings.cancel(access, event, None)
    with pytest.raises(CalendlyNotFound):
        await stage.bookings.mark_no_show(access, f"{event}/invitees/AAAAAAAAAAAAAAAA")
