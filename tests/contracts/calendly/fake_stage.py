"""The contract's stage over the fake."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from adapters.system.clock import SystemClock
from domain.availability import BusyTime, Interval, Rule, Schedule, Window
from domain.errors import CalendlyUnavailable, CalendlyUncertain
from domain.secret import Secret
from domain.token import REQUESTED_SCOPES, REQUIRED_SCOPES, TokenPair, parse_scopes
from tests.fakes.calendly.fake_calendly import FakeCalendly


class FakeStage:
    """Implements `Stage`."""

    def __init__(self) -> None:
        self.fake = FakeCalendly(SystemClock())
        self.oauth = self.accounts = self.availability = self.fake
        self.bookings = self.subscriptions = self.links = self.fake
        self.fake.page_size = 2
        self.account = self.fake.add_user()
        offered = self.fake.add_event_type(self.account.user_uri, duration=15, location_kinds=())
        self.event_type_uri = offered.uri
        day = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
        starts = [day + timedelta(days=2, minutes=15 * each) for each in range(8)]
        self.fake.open_slots(self.event_type_uri, starts)
        hours = Rule("wday", "monday", (Interval("09:00", "17:00"),))
        self.fake.weekly[self.account.user_uri].append(
            Schedule("https://api.calendly.com/s/1", "Hours", True, "Europe/Zurich", (hours,))
        )

    async def consent(self, authorize_url: str, decline: Sequence[str] = ()) -> Secret:
        """Consent to what is not declined."""
        kept = tuple(each for each in REQUESTED_SCOPES if each not in decline)
        return self.fake.consent(authorize_url, self.account.user_uri, kept)

    async def pair(self, scopes: Sequence[str] = REQUIRED_SCOPES) -> TokenPair:
        """Return the first pair of a new grant."""
        return self.fake.grant(self.account.user_uri, parse_scopes(" ".join(scopes)))

    async def expire_access_tokens(self) -> None:
        """Let the access tokens expire."""
        self.fake.expire_access_tokens(self.account.user_uri)

    async def revoke_grants(self) -> None:
        """Revoke everything."""
        self.fake.revoke_grants(self.account.user_uri)

    async def open_slots(self) -> list[datetime]:
        """Return what is open."""
        return [each.start for each in self.fake.slots[self.event_type_uri]]

    async def invitee_books(self, start: datetime, email: str = "iris@example.net") -> str:
        """Book as an invitee."""
        return self.fake.invitee_books(self.event_type_uri, start, email=email).invitee_uri

    async def invitee_cancels(self, invitee_uri: str, reason: str) -> None:
        """Cancel as the invitee."""
        self.fake.invitee_cancels(invitee_uri, reason)

    async def invitee_reschedules(self, invitee_uri: str, start: datetime) -> str:
        """Reschedule as the invitee."""
        _, new = self.fake.invitee_reschedules(invitee_uri, start)
        return new.invitee_uri

    async def keep_busy(self, span: Window) -> None:
        """Put something into the other calendar."""
        busy = BusyTime("external", span.start, span.end)
        self.fake.busy[self.account.user_uri].append(busy)

    async def break_calendar(self) -> None:
        """Break the calendar."""
        self.fake.broken_calendars.add(self.account.user_uri)

    async def let_slots_need_the_calendar(self) -> None:
        """Let slots need it."""
        self.fake.slots_need_calendar = True

    async def turn_etags_off(self) -> None:
        """Name no tags."""
        self.fake.etags = False

    async def offer(self, count: int) -> None:
        """Add event types."""
        for number in range(count):
            self.fake.add_event_type(self.account.user_uri, f"Chat {number}")

    async def delete_event_type(self) -> None:
        """Delete the event type."""
        self.fake.change_event_type(
            self.event_type_uri, active=False, deleted_at=datetime.now(UTC)
        )

    async def stranger(self) -> tuple[str, str]:
        """Add a user with an organization of their own."""
        user_uri = self.fake.add_user("Finn Stranger").user_uri
        return user_uri, self.fake.add_event_type(user_uri).uri

    async def lose_next_answer(self, method: str) -> None:
        """Process, then fail."""
        self.fake.fail_next(method, CalendlyUncertain("No answer came."), processed=True)

    async def be_down_for_next(self, method: str) -> None:
        """Fail unprocessed."""
        self.fake.fail_next(method, CalendlyUnavailable("Down."))
