"""The page at `/`: the service's status, and the demo user's connection."""

import msgspec

from adapters.web.errors.problem_table import PROBLEMS
from adapters.web.pages.demo_view import DemoView, demo_view
from adapters.web.readiness import readiness
from adapters.web.schemas.health import Readiness
from adapters.wiring.services import Services

_GOOD = {
    "confirm": (
        "Consent was given. The application confirms it with POST /api/calendly/connect/confirm"
        " and calendly_handle of this address, within two minutes."
    ),
    "connected": "Connected. Event types and bookings are being fetched.",
    "disconnected": "Disconnecting. The tokens are revoked and all data is erased.",
}


class Notice(msgspec.Struct, frozen=True):
    """A line at the top of the page."""

    good: bool
    text: str


class HomeView(msgspec.Struct, frozen=True):
    """The page's values; `demo` is None without a demo user, or if this browser may not see it."""

    readiness: Readiness
    public_url: str
    temporal_ui_url: str | None
    sandbox_url: str | None
    notice: Notice | None
    demo: DemoView | None


async def home_view(
    services: Services, *, outcome: str | None, chosen: str | None, with_demo: bool
) -> HomeView:
    """Return the page's values; `with_demo` is whether this browser may see the demo user.

    `outcome` (of a connect flow) and `chosen` (the event type to show) come from the query.
    """
    settings = services.settings
    status = await readiness(services)
    demo = None
    if with_demo and settings.demo_user is not None:
        demo = await demo_view(services, settings.demo_user, chosen)
    return HomeView(
        readiness=status,
        public_url=settings.public_url.rstrip("/"),
        temporal_ui_url=settings.temporal_ui_url,
        sandbox_url=settings.sandbox_url,
        notice=_notice_of(outcome) if demo else None,
        demo=demo,
    )


def _notice_of(outcome: str | None) -> Notice | None:
    """Return the notice of a known outcome; an unknown text is not shown."""
    if outcome in _GOOD:
        return Notice(good=True, text=_GOOD[outcome])
    titles = {each.code: row.title for each, row in PROBLEMS.items()}
    return Notice(good=False, text=f"{titles[outcome]}.") if outcome in titles else None
