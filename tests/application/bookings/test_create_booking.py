import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from application.bookings.create_booking import MOST_GUESTS
from application.bookings.idempotency import LEASE
from application.ports.calendly.bookings import REFERENCE_PREFIX, Answer
from application.ports.storage.availability_cache import Scope
from application.ports.storage.booking_commands import Operation
from domain.availability import Question
from domain.booking import BookingStatus
from domain.errors import (
    BookingNotFound,
    CalendlyUnavailable,
    CommandInProgress,
    EventTypeNotFound,
    IdempotencyKeyReused,
    IntegrationNotFound,
    InvalidInput,
    InvalidRange,
    InvalidTimezone,
    ReauthRequired,
    SlotkeeperError,
    SlotTaken,
)
from tests.application.support.booking_requests import KEY, wanted
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host, invalidate_cache
from tests.application.support.process import Process
from tests.fakes.clock import NOON


@pytest.fixture
async def ada(product: Product, process: Process) -> Host:
    """A host whose availability is cached."""
    made = await host(product)
    await process.sync(made.integration.id)
    return made


async def test_a_slot_is_booked(product: Product, process: Process, ada: Host) -> None:
    """After booking, Calendly and the store have the same booking, and its slot is not offered."""
    performed = await process.book(ada.integration.user_id, KEY, wanted(ada))

    facts = performed.view.booking.facts
    assert not performed.repeated
    assert product.calendly.invitees == {facts.invitee_uri: facts}
    assert (facts.status, facts.details.start) == (BookingStatus.BOOKED, ada.starts[0])
    assert facts.reference is not None
    assert facts.reference.startswith(REFERENCE_PREFIX)
    assert list(product.storage.state.bookings.values()) == [performed.view.booking]
    assert product.storage.state.integrations[ada.integration.id].invalidated_by == "book"
    assert product.telemetry.seen["booking_command", "book", "done"] == 1


async def test_a_repeated_request_books_nothing(
    product: Product, process: Process, ada: Host
) -> None:
    """Under the same key the first booking is returned, and Calendly is not asked."""
    first = await process.book(ada.integration.user_id, KEY, wanted(ada))

    second = await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert second.view == first.view
    assert second.repeated
    assert product.calendly.calls["book"] == 1
    assert product.telemetry.seen["booking_command", "book", "repeated"] == 1


async def test_the_result_of_an_erased_booking_is_gone(
    product: Product, process: Process, ada: Host
) -> None:
    """After the account was erased and connected again, a repetition reports a missing booking."""
    await process.book(ada.integration.user_id, KEY, wanted(ada))
    product.storage.state.bookings.clear()

    with pytest.raises(BookingNotFound):
        await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert product.calendly.calls["book"] == 1


async def test_a_key_is_for_one_request(product: Product, process: Process, ada: Host) -> None:
    """The same key with another request is refused, and nothing is sent."""
    await process.book(ada.integration.user_id, KEY, wanted(ada))

    with pytest.raises(IdempotencyKeyReused):
        await process.book(ada.integration.user_id, KEY, wanted(ada, start=ada.starts[1]))

    assert product.calendly.calls["book"] == 1


async def test_a_request_of_the_same_meaning_is_repeated(
    product: Product, process: Process, ada: Host
) -> None:
    """The same moment with another UTC offset, and another name of the type, is one request."""
    first = await process.book(ada.integration.user_id, KEY, wanted(ada))
    elsewhere = ada.starts[0].astimezone(timezone(timedelta(hours=1)))
    segment = ada.event_type.uri.rpartition("/")[2]

    repeated = [
        await process.book(ada.integration.user_id, KEY, each)
        for each in (
            wanted(ada, start=elsewhere),
            wanted(ada, event_type=segment),
            wanted(ada, name=" Grace Invitee"),
        )
    ]

    assert [each.repeated for each in repeated] == [True] * 3
    assert {each.view.booking.id for each in repeated} == {first.view.booking.id}
    assert product.calendly.calls["book"] == 1


async def test_a_request_recorded_by_the_previous_version_is_repeated(
    product: Product, process: Process, ada: Host
) -> None:
    """The previous version recorded the caller's own form: the same form is taken over once."""
    elsewhere = ada.starts[0].astimezone(timezone(timedelta(hours=1)))
    request = wanted(ada, start=elsewhere)
    old = await process.commands.start(ada.integration.user_id, KEY, Operation.BOOK, request)

    with pytest.raises(CommandInProgress):
        await process.book(ada.integration.user_id, KEY, request)
    product.clock.advance(LEASE)
    booked = await process.book(ada.integration.user_id, KEY, request)
    repeated = await process.book(ada.integration.user_id, KEY, request)

    assert (booked.repeated, repeated.repeated) == (False, True)
    assert product.storage.state.booking_commands[old.id].booking_id == booked.view.booking.id
    with pytest.raises(IdempotencyKeyReused):
        await process.book(ada.integration.user_id, KEY, wanted(ada, start=ada.starts[1]))


async def test_a_start_beyond_the_calendar_is_refused(
    product: Product, process: Process, ada: Host
) -> None:
    """A start that has no moment in UTC is bad input, and nothing is sent."""
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))

    with pytest.raises(InvalidRange):
        await process.book(ada.integration.user_id, KEY, wanted(ada, start=last))

    assert product.calendly.calls["book"] == 0


async def test_a_key_is_one_users(product: Product, process: Process, ada: Host) -> None:
    """Two users may come with the same key."""
    bob = await host(product, "bob")
    await process.book(ada.integration.user_id, KEY, wanted(ada))

    performed = await process.book(bob.integration.user_id, KEY, wanted(bob))

    assert performed.view.booking.user_id == bob.integration.user_id
    assert product.calendly.calls["book"] == 2


async def test_two_requests_at_once_book_once(
    product: Product, process: Process, ada: Host
) -> None:
    """While a request runs, its repetition is refused with a retry time."""
    hold = product.calendly.hold_next("book")
    first = asyncio.create_task(process.book(ada.integration.user_id, KEY, wanted(ada)))
    await hold.reached.wait()

    with pytest.raises(CommandInProgress) as refusal:
        await process.book(ada.integration.user_id, KEY, wanted(ada))
    hold.release()
    await first

    assert refusal.value.retry_after == LEASE.total_seconds()
    assert product.calendly.calls["book"] == 1


async def test_a_taken_slot_is_an_error_of_its_own(
    product: Product, process: Process, ada: Host
) -> None:
    """If the slot is taken, the error says it, and the key may be used for another slot."""
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])

    with pytest.raises(SlotTaken):
        await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert product.telemetry.seen["booking_command", "book", "slot_taken"] == 1
    await process.book(ada.integration.user_id, KEY, wanted(ada, start=ada.starts[1]))


async def test_what_was_refused_may_be_repeated_at_once(
    product: Product, process: Process, ada: Host
) -> None:
    """After a failure that booked nothing the same key works without waiting."""
    product.calendly.fail_next("book", CalendlyUnavailable("down"), times=3)
    with pytest.raises(CalendlyUnavailable):
        await process.book(ada.integration.user_id, KEY, wanted(ada))

    performed = await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert not performed.repeated
    assert product.calendly.calls["find"] == 0


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"start": NOON.replace(tzinfo=None)}, InvalidInput),
        ({"start": NOON}, InvalidRange),
        ({"name": "  "}, InvalidInput),
        ({"name": "Grace\x00"}, InvalidInput),
        ({"name": "Grace\nHopper"}, InvalidInput),
        ({"email": "grace"}, InvalidInput),
        ({"email": "grace@example"}, InvalidInput),
        ({"email": "grace @example.net"}, InvalidInput),
        ({"email": "grace\x00@example.net"}, InvalidInput),
        ({"email": f"{'g' * 250}@example.net"}, InvalidInput),
        ({"guests": ("bob",)}, InvalidInput),
        ({"guests": ("bob@example.net",) * (MOST_GUESTS + 1)}, InvalidInput),
        ({"timezone": "Mars/Olympus"}, InvalidTimezone),
        ({"timezone": ""}, InvalidTimezone),
        ({"timezone": "../etc/passwd"}, InvalidTimezone),
        ({"timezone": "right/Europe/Berlin"}, InvalidTimezone),
        ({"timezone": "posix/Europe/Berlin"}, InvalidTimezone),
        ({"timezone": "localtime"}, InvalidTimezone),
        ({"event_type": "no-such-type"}, EventTypeNotFound),
    ],
)
async def test_bad_input_sends_nothing(
    product: Product,
    process: Process,
    ada: Host,
    changed: dict[str, Any],
    error: type[SlotkeeperError],
) -> None:
    """A request that cannot be carried out is refused before anything is recorded or sent."""
    with pytest.raises(error):
        await process.book(ada.integration.user_id, KEY, wanted(ada, **changed))

    assert product.calendly.calls["book"] == 0
    assert product.storage.state.booking_commands == {}


@pytest.mark.parametrize(
    "answers",
    [
        (),
        (Answer(question="Company", answer=" ", position=0),),
        (Answer(question="company", answer="Acme", position=0),),
    ],
)
async def test_required_questions_are_answered(
    product: Product, process: Process, ada: Host, answers: tuple[Answer, ...]
) -> None:
    """A missing or empty answer to a required question is named before anything is sent."""
    product.calendly.types[ada.integration.account.user_uri] = [
        msgspec.structs.replace(
            ada.event_type,
            questions=(
                Question(name="Company", kind="string", position=0, required=True),
                Question(name="Topic", kind="string", position=1, required=False),
                Question(name="Fax", kind="string", position=2, required=True, enabled=False),
            ),
        )
    ]
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    await process.sync(ada.integration.id)

    with pytest.raises(InvalidInput, match=r"Missing: Company$"):
        await process.book(ada.integration.user_id, KEY, wanted(ada, answers=answers))

    assert product.calendly.calls["book"] == 0
    right = (Answer(question="Company", answer="Acme", position=0),)
    await process.book(ada.integration.user_id, KEY, wanted(ada, answers=right))


async def test_without_an_account_nothing_is_booked(product: Product, process: Process) -> None:
    """A missing integration and a lost grant have an error each."""
    ada = await host(product)
    with pytest.raises(IntegrationNotFound):
        await process.book(await product.user("bob"), KEY, wanted(ada))
    product.calendly.revoke_grants(ada.integration.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(ada.integration.id)

    with pytest.raises(ReauthRequired):
        await process.book(ada.integration.user_id, KEY, wanted(ada))


@pytest.mark.parametrize(
    ("kinds", "pooling", "asked", "sent"),
    [
        (("google_conference",), None, None, "google_conference"),
        (("google_conference", "physical"), None, None, None),
        (("google_conference", "physical"), None, "physical", "physical"),
        (("google_conference",), "round_robin", None, None),
        (("google_conference",), "round_robin", "google_conference", None),
        ((), None, None, None),
    ],
)
async def test_the_location_is_what_calendly_takes(
    product: Product,
    process: Process,
    *,
    kinds: tuple[str, ...],
    pooling: str | None,
    asked: str | None,
    sent: str | None,
) -> None:
    """The only location is chosen by itself; a round robin's host brings the location along."""
    ada = await host(product)
    product.calendly.types[ada.integration.account.user_uri] = [
        msgspec.structs.replace(ada.event_type, location_kinds=kinds, pooling_type=pooling)
    ]
    await process.book(ada.integration.user_id, KEY, wanted(ada, location_kind=asked))

    assert [each.location_kind for each in product.calendly.requests] == [sent]


async def test_everything_asked_for_is_sent(product: Product, process: Process, ada: Host) -> None:
    """Name, answers, guests and place go to Calendly as the caller gave them."""
    answers = (Answer(question="Topic?", answer="Onboarding", position=0),)
    guests = ("bob@example.net", "cid@example.net")
    request = wanted(
        ada, name=" Grace Invitee ", answers=answers, guests=guests, location="Room 1"
    )

    await process.book(ada.integration.user_id, KEY, request)

    (sent,) = product.calendly.requests
    assert (sent.name, sent.email, sent.timezone) == (
        "Grace Invitee",
        "grace@example.net",
        "Europe/Zurich",
    )
    assert (sent.answers, sent.guests, sent.location) == (answers, guests, "Room 1")
