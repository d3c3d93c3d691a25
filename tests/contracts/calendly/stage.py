"""A Calendly for contract tests: its ports, and acts that no port offers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from application.ports.calendly.accounts import CalendlyAccounts
from application.ports.calendly.availability import Answer, CalendlyAvailability, Fetched
from application.ports.calendly.bookings import BookingRequest, CalendlyBookings
from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.calendly.scheduling_links import CalendlySchedulingLinks
from application.ports.calendly.subscriptions import CalendlySubscriptions
from domain.availability import Window
from domain.integration import Account
from domain.secret import Secret
from domain.token import REQUIRED_SCOPES, Access, TokenPair

V = TypeVar("V")


class Stage(Protocol):
    """One Calendly with one user who offers a 15-minute meeting; two events a page."""

    account: Account
    event_type_uri: str

    @property
    def oauth(self) -> CalendlyOAuth:
        """The OAuth host."""
        ...

    @property
    def accounts(self) -> CalendlyAccounts:
        """The users."""
        ...

    @property
    def availability(self) -> CalendlyAvailability:
        """The user's offers."""
        ...

    @property
    def bookings(self) -> CalendlyBookings:
        """Scheduled events and invitees."""
        ...

    @property
    def subscriptions(self) -> CalendlySubscriptions:
        """Webhook subscriptions."""
        ...

    @property
    def links(self) -> CalendlySchedulingLinks:
        """Single-use links."""
        ...

    async def consent(self, authorize_url: str, decline: Sequence[str] = ()) -> Secret:
        """Consent on the page, leaving out the declined scopes; return the code."""
        ...

    async def pair(self, scopes: Sequence[str] = REQUIRED_SCOPES) -> TokenPair:
        """Return the first pair of a new grant."""
        ...

    async def expire_access_tokens(self) -> None:
        """Let the user's access tokens be expired."""
        ...

    async def revoke_grants(self) -> None:
        """Remove the app in the user's Calendly settings."""
        ...

    async def open_slots(self) -> list[datetime]:
        """Return at least six open slots of the event type, a day or more ahead."""
        ...

    async def invitee_books(self, start: datetime, email: str = "iris@example.net") -> str:
        """Book as an invitee; return the invitee's URI."""
        ...

    async def invitee_cancels(self, invitee_uri: str, reason: str) -> None:
        """Cancel as the invitee."""
        ...

    async def invitee_reschedules(self, invitee_uri: str, start: datetime) -> str:
        """Reschedule as the invitee; return the new invitee's URI."""
        ...

    async def keep_busy(self, span: Window) -> None:
        """Put something into the user's other calendar."""
        ...

    async def break_calendar(self) -> None:
        """Break the user's calendar connection."""
        ...

    async def let_slots_need_the_calendar(self) -> None:
        """Let a broken calendar refuse open slots too."""
        ...

    async def turn_etags_off(self) -> None:
        """Let no answer name a tag."""
        ...

    async def offer(self, count: int) -> None:
        """Add this many event types to the user's."""
        ...

    async def delete_event_type(self) -> None:
        """Delete the event type as its host does."""
        ...

    async def stranger(self) -> tuple[str, str]:
        """Return a user of another organization and one of their event types, by URI."""
        ...

    async def lose_next_answer(self, method: str) -> None:
        """Let the next call of a method (`refresh` or `book`) be processed unanswered."""
        ...

    async def be_down_for_next(self, method: str) -> None:
        """Let the next call of a method (`refresh`) meet a 503, unprocessed."""
        ...


async def access_of(stage: Stage, scopes: Sequence[str] = REQUIRED_SCOPES) -> Access:
    """Return what API calls need, from a new grant."""
    return Access(token=(await stage.pair(scopes)).access, user_uri=stage.account.user_uri)


def values_of(answer: Answer[V]) -> tuple[V, ...]:
    """Return a list that was asked for whole."""
    assert isinstance(answer, Fetched)
    return answer.values


def ahead(**span: float) -> Window:
    """Return a span that begins in two minutes; its length as for timedelta."""
    start = datetime.now(UTC) + timedelta(minutes=2)
    return Window(start, start + timedelta(**span))


def wanted(stage: Stage, start: datetime, email: str = "grace@example.net") -> BookingRequest:
    """Return a request for a slot."""
    return BookingRequest(
        event_type_uri=stage.event_type_uri,
        start=start,
        name="Grace Invitee",
        email=email,
        timezone="Europe/Zurich",
        reference="slotkeeper:contract",
    )
