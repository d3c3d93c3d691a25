"""A test's view of a running sandbox: its API, and its control surface in one word."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

SECRET = ("sandbox-client", "sandbox-secret")
REDIRECT = "http://localhost:3000/callback"


@dataclass(frozen=True)
class Account:
    """A user with a live token pair."""

    email: str
    uri: str
    organization: str
    access: str
    refresh: str

    @property
    def auth(self) -> dict[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Bearer {self.access}"}


@dataclass(frozen=True)
class Sandbox:
    """One running sandbox."""

    http: httpx.AsyncClient

    async def control(self, method: str, path: str, /, **body: Any) -> Any:
        """Ask the control surface; the call must succeed."""
        answer = await self.http.request(
            method, f"/_control{path}", json=None if method in ("GET", "DELETE") else body
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def grant(self, email: str = "ada@example.com", **wanted: Any) -> Account:
        """A token pair for a user, of all scopes unless `scope` is given."""
        made = await self.control("POST", f"/users/{email}/grant", **wanted)
        return Account(
            email=email,
            uri=made["owner"],
            organization=made["organization"],
            access=made["access_token"],
            refresh=made["refresh_token"],
        )

    async def get(self, who: Account, path: str, **params: Any) -> httpx.Response:
        """GET with the account's token."""
        return await self.http.get(path, params=params, headers=who.auth)

    async def post(self, who: Account, path: str, body: Any) -> httpx.Response:
        """POST JSON with the account's token."""
        return await self.http.post(path, json=body, headers=who.auth)

    async def delete(self, who: Account, path: str) -> httpx.Response:
        """DELETE with the account's token."""
        return await self.http.delete(path, headers=who.auth)

    async def refresh(self, token: str) -> httpx.Response:
        """Trade a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.http.post("/oauth/token", data=form, auth=SECRET)

    async def subscribe(self, who: Account, url: str, *events: str) -> dict[str, Any]:
        """Subscribe the account's own hook."""
        answer = await self.post(
            who,
            "/webhook_subscriptions",
            {
                "url": url,
                "events": list(events or ("invitee.created", "invitee.canceled")),
                "organization": who.organization,
                "user": who.uri,
                "scope": "user",
            },
        )
        assert answer.status_code == 201, answer.text
        resource: dict[str, Any] = answer.json()["resource"]
        return resource

    async def event_type(self, email: str, name: str) -> str:
        """The URI of a user's event type."""
        user = await self.control("GET", f"/users/{email}")
        return next(str(e["uri"]) for e in user["event_types"] if e["name"] == name)

    async def slots(self, event_type: str) -> list[str]:
        """Starts of the next open slots."""
        found = await self.control("GET", f"/event-types/{tail(event_type)}/slots")
        return [slot["start_time"] for slot in found["collection"]]

    async def book(self, event_type: str, **more: Any) -> dict[str, Any]:
        """Book as an invitee on the booking page."""
        made = await self.control("POST", "/invitees", event_type=event_type, **more)
        return dict(made)


def tail(uri: str) -> str:
    """The id at the end of a URI."""
    return uri.rsplit("/", 1)[-1]


def soon(**ahead: float) -> str:
    """A minute from now, plus a timedelta's keywords, as ISO 8601."""
    return (datetime.now(UTC) + timedelta(minutes=1) + timedelta(**ahead)).isoformat()
