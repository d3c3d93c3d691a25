"""Book for an invitee through Calendly.

Calendly has no idempotency key: a blind repetition books twice and mails people twice. Our own
token travels with the booking, and a repetition looks for it before it sends anything.
"""

import re
import zoneinfo
from datetime import datetime, timedelta

import msgspec

from application.booking_journal import BookingJournal, Performed
from application.calendly_session import CalendlySession
from application.ports.booking_commands import BookingCommand, Operation
from application.ports.calendly_bookings import (
    REFERENCE_PREFIX,
    Answer,
    BookingRequest,
    CalendlyBookings,
)
from application.ports.clock import Clock
from application.read_availability import ReadAvailability
from domain.availability import EventType, Window
from domain.booking import Facts
from domain.errors import (
    CalendlyUncertain,
    InvalidInput,
    InvalidRange,
    InvalidTimezone,
    SlotkeeperError,
)
from domain.ids import UserId
from domain.integration import Integration

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
MOST_GUESTS = 10  # Calendly: POST /invitees
ROUND_ROBIN = "round_robin"
# Calendly: POST /invitees wants a `location` text with these, which only the caller can know.
NEEDS_TEXT = frozenset({"physical", "outbound_call", "ask_invitee", "custom"})


class BookingInput(msgspec.Struct, frozen=True):
    """What a caller asks to be booked; see BookingRequest for what each part means."""

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
    """Books once, however often the request is repeated under its key."""

    def __init__(
        self,
        *,
        journal: BookingJournal,
        session: CalendlySession,
        calendly: CalendlyBookings,
        availability: ReadAvailability,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._session = session
        self._calendly = calendly
        self._availability = availability
        self._clock = clock

    async def __call__(self, user_id: UserId, key: str, wanted: BookingInput) -> Performed:
        """Book.

        Raises:
            InvalidInput, InvalidTimezone, InvalidRange, EventTypeNotFound: nothing was sent.
            SlotTaken: somebody else was faster.
            IdempotencyKeyReused, CommandInProgress: see BookingJournal.
            CalendlyUncertain: the answer was lost: repeat the request under the same key.

        """
        _check(wanted)
        command = await self._journal.open(user_id, key, Operation.BOOK, wanted)
        if command.done_at is not None:
            return await self._journal.recall(command)
        try:
            integration = await self._journal.integration(user_id)
            facts = await self._carry_out(integration, wanted, command)
        except SlotkeeperError as error:
            await self._journal.failed(command, error, sent=command.sent)
            raise
        return await self._journal.close(command, integration, [facts])

    async def _carry_out(
        self, integration: Integration, wanted: BookingInput, command: BookingCommand
    ) -> Facts:
        """Look first for what an earlier attempt may have made; book when there is none."""
        event_type = await self._availability.event_type(integration.user_id, wanted.event_type)
        request = _request(wanted, event_type, command)
        made = await self._find(integration, request) if command.sent else None
        if made is not None:
            return made
        if wanted.start <= self._clock.now():
            raise InvalidRange("start lies in the past.")
        await self._journal.mark_sent(command)
        return await self._book(integration, request)

    async def _book(self, integration: Integration, request: BookingRequest) -> Facts:
        try:
            invitee_uri = await self._session.call(
                integration.id, lambda access: self._calendly.book(access, request)
            )
        except CalendlyUncertain as uncertain:
            return await self._found_after(uncertain, integration, request)
        try:
            return await self._session.call(
                integration.id, lambda access: self._calendly.invitee(access, invitee_uri)
            )
        except SlotkeeperError as error:
            raise CalendlyUncertain(
                "Calendly took the booking, but it could not be read back; repeat the request "
                "under the same Idempotency-Key.",
                retry_after=error.retry_after,
            ) from error

    async def _found_after(
        self, uncertain: CalendlyUncertain, integration: Integration, request: BookingRequest
    ) -> Facts:
        """Return the booking if it was made after all; else it stays uncertain."""
        try:
            found = await self._find(integration, request)
        except SlotkeeperError:
            raise uncertain from None
        if found is None:
            raise uncertain
        return found

    async def _find(self, integration: Integration, request: BookingRequest) -> Facts | None:
        """Return the booking that carries our own token, or None when Calendly has none."""
        span = Window(request.start, request.start + timedelta(minutes=1))
        found = await self._session.call(
            integration.id,
            lambda access: self._calendly.find(
                access, integration.account.user_uri, request.email, span
            ),
        )
        return next((each for each in found if each.reference == request.reference), None)


def _check(wanted: BookingInput) -> None:
    """Check what can be checked without knowing anything else. Raises InvalidInput."""
    if wanted.start.tzinfo is None:
        raise InvalidInput("start needs a UTC offset, for example 2026-12-01T09:00:00Z.")
    if not wanted.name.strip():
        raise InvalidInput("name must not be empty.")
    if not all(ADDRESS.fullmatch(each) for each in (wanted.email, *wanted.guests)):
        raise InvalidInput("email and guests must be e-mail addresses.")
    if len(wanted.guests) > MOST_GUESTS:
        raise InvalidInput(f"At most {MOST_GUESTS} guests can be invited.")
    if not _is_timezone(wanted.timezone):
        raise InvalidTimezone("timezone must be an IANA name, for example Europe/Berlin.")


def _is_timezone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _request(
    wanted: BookingInput, event_type: EventType, command: BookingCommand
) -> BookingRequest:
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
        reference=f"{REFERENCE_PREFIX}{command.id}",
        location_kind=kind,
        location=wanted.location,
        answers=wanted.answers,
        guests=wanted.guests,
    )
