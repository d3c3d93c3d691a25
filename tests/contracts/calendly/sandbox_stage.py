"""The contract's stage over real sockets: our gateways against the sandbox Calendly."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from adapters.calendly.accounts import CalendlyAccountsGateway
from adapters.calendly.api import CalendlyApi
from adapters.calendly.availability import CalendlyAvailabilityGateway
from adapters.calendly.bookings import CalendlyBookingsGateway
from adapters.calendly.oauth import CalendlyOAuthGateway
from adapters.calendly.rate_budget import RateBudget
from adapters.calendly.scheduling_links import CalendlySchedulingLinksGateway
from adapters.calendly.subscriptions import CalendlySubscriptionsGateway
from adapters.system.clock import SystemClock
from domain.availability import Window
from domain.integration import Account
from domain.secret import Secret
from domain.token import REQUIRED_SCOPES, TokenPair, parse_scopes

EMAIL = "contract@example.com"
PATHS = {"refresh": "/oauth/token", "book": "/invitees"}


class Control:
    """The sandbox's control surface."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def __call__(self, method: str, path: str, /, **body: Any) -> Any:
        """Ask; it must succeed."""
        sent = None if method == "GET" else body
        answer = await self._http.request(method, f"/_control{path}", json=sent)
        assert answer.is_success, answer.text
        return answer.json()


class SandboxStage:
    """Implements `Stage`; made by `build`."""

    def __init__(
        self, control: Control, url: str, client: httpx.AsyncClient, user: dict[str, Any]
    ) -> None:
        clock = SystemClock()
        budget = RateBudget(clock)
        api = CalendlyApi(client, api_url=url, budget=budget)
        self.control = control
        self.oauth = CalendlyOAuthGateway(
            client,
            auth_url=url,
            client_id="sandbox-client",
            client_secret=Secret("sandbox-secret"),
            clock=clock,
            budget=budget,
        )
        self.accounts = CalendlyAccountsGateway(api)
        self.availability = CalendlyAvailabilityGateway(api)
        self.bookings = CalendlyBookingsGateway(api, page_size=2)
        self.subscriptions = CalendlySubscriptionsGateway(api)
        self.account = _account(user)
        self.event_type_uri = next(
            str(each["uri"]) for each in user["event_types"] if each["name"] == "15 Minute Meeting"
        )
        self.links = CalendlySchedulingLinksGateway(api)
        self._clock = clock

    async def consent(self, authorize_url: str, decline: Sequence[str] = ()) -> Secret:
        """Press the button on the page."""
        sent = await self.control(
            "POST", "/consent", authorize_url=authorize_url, user=EMAIL, decline=list(decline)
        )
        return Secret(parse_qs(urlsplit(sent["redirect_to"]).query)["code"][0])

    async def pair(self, scopes: Sequence[str] = REQUIRED_SCOPES) -> TokenPair:
        """Return the first pair of a new grant."""
        made = await self.control("POST", f"/users/{EMAIL}/grant", scope=" ".join(scopes))
        return TokenPair(
            access=Secret(made["access_token"]),
            refresh=Secret(made["refresh_token"]),
            expires_at=self._clock.now() + timedelta(seconds=made["expires_in"]),
            scopes=parse_scopes(made["scope"]),
            owner_uri=made["owner"],
            organization_uri=made["organization"],
        )

    async def expire_access_tokens(self) -> None:
        """Let the access tokens expire."""
        await self.control("POST", f"/users/{EMAIL}/expire-access-tokens")

    async def revoke_grants(self) -> None:
        """Revoke everything."""
        await self.control("POST", f"/users/{EMAIL}/revoke")

    async def open_slots(self) -> list[datetime]:
        """Return what is open from tomorrow on."""
        found = await self.control("GET", f"/event-types/{_id(self.event_type_uri)}/slots")
        starts = [datetime.fromisoformat(each["start_time"]) for each in found["collection"]]
        return [each for each in starts if each > self._clock.now() + timedelta(days=1)]

    async def invitee_books(self, start: datetime, email: str = "iris@example.net") -> str:
        """Book as an invitee."""
        made = await self.control(
            "POST",
            "/invitees",
            event_type=self.event_type_uri,
            start_time=start.isoformat(),
            email=email,
        )
        return str(made["uri"])

    async def invitee_cancels(self, invitee_uri: str, reason: str) -> None:
        """Cancel as the invitee."""
        await self.control("POST", f"/invitees/{_id(invitee_uri)}/cancel", reason=reason)

    async def invitee_reschedules(self, invitee_uri: str, start: datetime) -> str:
        """Reschedule as the invitee."""
        made = await self.control(
            "POST", f"/invitees/{_id(invitee_uri)}/reschedule", start_time=start.isoformat()
        )
        return str(made["uri"])

    async def keep_busy(self, span: Window) -> None:
        """Put something into the other calendar."""
        times = {"start": span.start.isoformat(), "end": span.end.isoformat()}
        await self.control("POST", f"/users/{EMAIL}/busy", **times)

    async def break_calendar(self) -> None:
        """Break the calendar."""
        await self.control("PUT", f"/users/{EMAIL}/calendar", broken=True)

    async def let_slots_need_the_calendar(self) -> None:
        """Turn the switch."""
        await self.control("PATCH", "/switches", available_times_need_calendar=True)

    async def turn_etags_off(self) -> None:
        """Turn the switch."""
        await self.control("PATCH", "/switches", etags=False)

    async def offer(self, count: int) -> None:
        """Add event types."""
        for number in range(count):
            await self.control("POST", f"/users/{EMAIL}/event-types", name=f"Chat {number}")

    async def delete_event_type(self) -> None:
        """Delete the event type."""
        await self.control("DELETE", f"/event-types/{_id(self.event_type_uri)}")

    async def stranger(self) -> tuple[str, str]:
        """Return Finn, the only user of an organization."""
        finn = await self.control("GET", "/users/finn@example.com")
        return str(finn["uri"]), str(finn["event_types"][0]["uri"])

    async def lose_next_answer(self, method: str) -> None:
        """Process, then cut the connection."""
        await self.control("POST", "/faults", path=PATHS[method], kind="drop_answer", count=1)

    async def be_down_for_next(self, method: str) -> None:
        """Answer 503 without processing."""
        await self.control(
            "POST", "/faults", path=PATHS[method], kind="status", status=503, count=1
        )


async def build(url: str, client: httpx.AsyncClient, control: Control) -> SandboxStage:
    """Return a stage with a fresh user in a sandbox as after its start."""
    await control("POST", "/reset")
    added = await control("POST", "/users", email=EMAIL)
    return SandboxStage(control, url, client, added["users"][0])


def _account(user: dict[str, Any]) -> Account:
    return Account(
        user_uri=user["uri"],
        organization_uri=user["current_organization"],
        name=user["name"],
        email=user["email"],
        timezone=user["timezone"],
        scheduling_url=user["scheduling_url"],
    )


def _id(uri: str) -> str:
    return uri.rpartition("/")[2]
