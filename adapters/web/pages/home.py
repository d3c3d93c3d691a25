"""What the page at `/` shows: what runs, and the demo user's connection."""

import msgspec

from adapters.web.pages.demo_view import DemoView, demo_view
from adapters.web.pages.notices import Notice, notice_of
from adapters.web.readiness import readiness
from adapters.web.schemas.health import Readiness
from adapters.wiring.services import Services


class HomeView(msgspec.Struct, frozen=True):
    """The page's values; `demo` is None where there is no demo user, or not for this browser."""

    readiness: Readiness
    public_url: str
    temporal_ui_url: str | None
    sandbox_url: str | None
    notice: Notice | None
    demo: DemoView | None


async def home_view(
    services: Services, *, outcome: str | None, chosen: str | None, with_demo: bool
) -> HomeView:
    """Return the page's values.

    Args:
        services: the use cases.
        outcome: `calendly` of the query, how a connect flow ended.
        chosen: `event_type` of the query, whose slots to show.
        with_demo: whether the demo user may be shown to who asks.

    """
    settings = services.settings
    found = await readiness(services)
    demo = None
    if with_demo and settings.demo_user is not None:
        demo = await demo_view(services, settings.demo_user, chosen)
    return HomeView(
        readiness=found,
        public_url=settings.public_url.rstrip("/"),
        temporal_ui_url=settings.temporal_ui_url,
        sandbox_url=settings.sandbox_url,
        notice=notice_of(outcome) if demo else None,
        demo=demo,
    )
