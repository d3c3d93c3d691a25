"""FakeCalendly: the six Calendly ports in one stateful object."""

from tests.fakes.calendly.accounts import AccountsSide
from tests.fakes.calendly.bookings import BookingsSide
from tests.fakes.calendly.oauth import OAuthSide
from tests.fakes.calendly.scheduling_links import SchedulingLinksSide
from tests.fakes.calendly.subscriptions import SubscriptionsSide


class FakeCalendly(OAuthSide, AccountsSide, BookingsSide, SchedulingLinksSide, SubscriptionsSide):
    """A Calendly that keeps its promises, and fails where a test arranges it.

    Honest about single-use refresh tokens and codes, PKCE, scopes, and expiry by the clock. Also
    about eight token requests a minute, one subscription a callback URL, and slots that vanish
    when booked.

    Arranging: `add_user`, `add_event_type`, `open_slots`, `grant`/`access`, `consent`,
    `invitee_books`/`invitee_reschedules`/`invitee_cancels`, `revoke_grants`,
    `expire_access_tokens`, `change_subscription`, `broken_calendars`.
    Failing: `fail_next("refresh", CalendlyUnavailable("down"))`, with `processed=True` for a
    lost answer; `fail_always`, `heal`; `hold_next` keeps a call waiting. Looking: `calls`.
    """
