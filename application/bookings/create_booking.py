"""Book for an invitee through Calendly.

Calendly has no idempotency key: a blind repetition books twice and sends people two mails. We put
our own reference into the booking, and a repetition looks for it before it sends anything.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from application.availability.read_slots import ReadAvailability, last_segment
from application.bookings.idempotency import CommandResult, IdempotentCommands
from application.bookings.send_create import BookingClues, SearchResult, SendBooking
from application.ports.calendly.bookings import (
    REFERENCE_PREFIX,
    Answer,
    BookingRequest,
    CalendlyBookings,
)
from application.ports.clock import Clock
from application.ports.storage.booking_commands import BookingCommand, Operation
from application.tokens.calendly_session import CalendlySession
from domain.availability import EventType
from domain.booking import Facts
from domain.errors import CalendlyUncertain, InvalidInput, InvalidRange
from domain.ids import UserId
from domain.integration import Integration
from domain.local_days import zone_of
from domain.redacted_repr import RedactedRepr

ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+")
LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
REPEATED_WITHIN = timedelta(days=1)
"""How long after its start a booking's request may be repeated under its key."""

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MOST_GUESTS = 10  # Calendly: POST /invitees
ROUND_ROBIN = "round_robin"
# Calendly: POST /invitees needs a `location` text with these, which only the caller knows.
NEEDS_TEXT = frozenset({"physical", "outbound_call", "ask_invitee", "custom"})


class BookingInput(RedactedRepr, msgspec.Struct, frozen=True):
    """A caller's request to book; BookingRequest explains the fields."""

    shown = ("event_type", "start")
    event_type: str
    start: datetime
    name: str
    email: str
    timezone: str
    location_kind: str | None = None
    location: str | None = None
    answers: tuple[Answer, ...] = ()
    guests: tuple[str, ...] = ()


class BookForInvitee:
    """Books once, even if the caller repeats the request under its key."""

    def __init__(
        self,
        *,
        commands: IdempotentCommands,
        session: CalendlySession,
        calendly: CalendlyBookings,
        availability: ReadAvailability,
        clock: Clock,
        horizon: timedelta,
    ) -> None:
        self._horizon = horizon
        self._commands = commands
        self._availability = availability
        self._clock = clock
        self._sending = SendBooking(commands=commands, session=session, calendly=calendly)

    async def __call__(self, user_id: UserId, key: str, wanted: BookingInput) -> CommandResult:
        """Book. Requests of one meaning are equal: a start may come with any UTC offset.

        Raises:
            InvalidInput, InvalidTimezone, InvalidRange, EventTypeNotFound: nothing was sent.
            SlotTaken: another invitee was faster.
            IdempotencyKeyReused, CommandInProgress: see IdempotentCommands.
            CalendlyUncertain: the response was lost; repeat the request under the same key.

        """
        _check(wanted)
        understood = _understood(wanted)
        self._check_start(understood.start)

        async def book(integration: Integration, command: BookingCommand) -> list[Facts]:
            return [await self._book(integration, wanted, command)]

        return await self._commands.run(
            user_id, key, Operation.BOOK, understood, book, as_written=wanted
        )

    def _check_start(self, start: datetime) -> None:
        """Check that a start can be booked, or was booked a short time ago. Raises InvalidRange."""
        now = self._clock.now()
        if not now - REPEATED_WITHIN <= start <= now + self._horizon:
            raise InvalidRange(
                f"start must be from now on, and at most {self._horizon.days} days away"
                " (AVAILABILITY_HORIZON)."
            )

    async def _book(
        self, integration: Integration, wanted: BookingInput, command: BookingCommand
    ) -> Facts:
        """Find the booking of an earlier attempt first; book if there is none."""
        reference = f"{REFERENCE_PREFIX}{command.id}"
        earlier = SearchResult(None, everywhere=True)
        if command.sent:
            clues = BookingClues(wanted.start, wanted.email, reference)
            earlier = await self._sending.find(integration, clues)
        if earlier.facts is not None:
            return earlier.facts
        event_type = await self._availability.event_type(integration.user_id, wanted.event_type)
        if event_type.pooling_type == ROUND_ROBIN and not earlier.everywhere:
            raise CalendlyUncertain(
                "An earlier attempt may have booked with another host of this event type, whose "
                "bookings this account may not search; look at Calendly before booking again."
            )
        if wanted.start <= self._clock.now():
            raise InvalidRange("start lies in the past.")
        _check_answers(event_type, wanted.answers)
        request = _request(wanted, event_type, reference)
        return await self._sending.send(integration, request, command)


def _check(wanted: BookingInput) -> None:
    """Check the input by itself. Raises InvalidInput, InvalidTimezone."""
    if wanted.start.tzinfo is None:
        raise InvalidInput("start needs a UTC offset, for example 2026-12-01T09:00:00Z.")
    if not wanted.name.strip():
        raise InvalidInput("name must not be empty.")
    if CONTROL.search(wanted.name.strip()):
        raise InvalidInput("name must be one line of text without control characters.")
    if not _is_address(wanted.email):
        raise InvalidInput("email must be an e-mail address, for example grace@example.com.")
    if not all(map(_is_address, wanted.guests)):
        raise InvalidInput("Each of guests must be an e-mail address.")
    if len(wanted.guests) > MOST_GUESTS:
        raise InvalidInput(f"At most {MOST_GUESTS} guests can be invited.")
    zone_of(wanted.timezone)


def _understood(wanted: BookingInput) -> BookingInput:
    """Return the same request in the one form of its meaning. Raises InvalidRange."""
    try:
        start = wanted.start.astimezone(UTC)
    except OverflowError:
        raise InvalidRange("start lies beyond the calendar.") from None
    return msgspec.structs.replace(
        wanted,
        start=start,
        event_type=last_segment(wanted.event_type),
        name=wanted.name.strip(),
    )


def _check_answers(event_type: EventType, answers: Iterable[Answer]) -> None:
    """Check that every required question has an answer. Raises InvalidInput."""
    answered = {each.question for each in answers if each.answer.strip()}
    missing = [
        each.name
        for each in event_type.questions
        if each.enabled and each.required and each.name not in answered
    ]
    if missing:
        raise InvalidInput(
            "answers must answer every required question of this event type, by its exact text. "
            f"Missing: {'; '.join(missing)}"
        )


def _is_address(text: str) -> bool:
    return len(text) <= LONGEST_ADDRESS and ADDRESS.fullmatch(text) is not None


def _request(wanted: BookingInput, event_type: EventType, reference: str) -> BookingRequest:
    kind = wanted.location_kind
    if kind is None and len(event_type.location_kinds) == 1:
        (only,) = event_type.location_kinds
        kind = None if only in NEEDS_TEXT else only
    if event_type.pooling_type == ROUND_ROBIN:
        kind = None  # Calendly: the assigned host brings the location
    return BookingRequest(
        event_type_uri=event_type.uri,
        start=wanted.start,
        name=wanted.name.strip(),
        email=wanted.email,
        timezone=wanted.timezone,
        reference=reference,
        location_kind=kind,
        location=wanted.location,
        answers=wanted.answers,
        guests=wanted.guests,
    )
