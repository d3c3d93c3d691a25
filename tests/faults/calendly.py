"""The sandbox's control surface, as scenarios use it."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

CHUNK = 5_000
# Names the switches of the sandbox, separated by commas, that every scenario turns on.
SWITCHES = "FAULTS_SWITCHES"


def switched_on() -> dict[str, bool]:
    """Return the sandbox switches that the command line turns on."""
    return {name: True for name in os.environ.get(SWITCHES, "").split(",") if name}


class TokenState(msgspec.Struct, frozen=True):
    """The state at Calendly of one refresh token and of the grant that it belongs to.

    Args:
        honoured: whether it would be exchanged now.
        newest: whether no later pair was issued for the grant.
        grant: the grant.
        grant_honoured: whether any pair of the grant is good.
        exchanges: how often the grant was refreshed.
        reused: how often a spent token of the grant was sent again.

    """

    honoured: bool
    newest: bool
    grant: str
    grant_honoured: bool
    exchanges: int
    reused: int


class Calendly:
    """One running sandbox."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def control(self, method: str, path: str, /, **body: Any) -> Any:
        """Ask the control surface; it must succeed."""
        sent = body if method in ("POST", "PATCH", "PUT") else None
        answer = await self._http.request(method, f"/_control{path}", json=sent)
        answer.raise_for_status()
        return answer.json()

    async def grants(self, count: int) -> list[dict[str, Any]]:
        """Open a grant of each of the first so many seeded users."""
        made: list[dict[str, Any]] = []
        while len(made) < count:
            size = min(CHUNK, count - len(made))
            # The three named users come first.
            asked = await self.control("POST", "/grants", offset=3 + len(made), count=size)
            made += asked["grants"]
        return made

    async def versions(self, refresh_tokens: Sequence[str]) -> list[TokenState]:
        """Return what the tokens, all issued by it, are worth, in their order."""
        found: list[TokenState] = []
        for start in range(0, len(refresh_tokens), CHUNK):
            asked = list(refresh_tokens[start : start + CHUNK])
            answer = await self.control("POST", "/tokens/standing", refresh_tokens=asked)
            found += msgspec.convert(answer["tokens"], list[TokenState])
        return found

    async def expire_access_tokens(self) -> None:
        """Let every access token expire."""
        await self.control("POST", "/tokens/expire")

    async def fault(self, **rule: Any) -> None:
        """Add a fault rule."""
        await self.control("POST", "/faults", **rule)

    async def heal(self) -> None:
        """Lift every fault rule."""
        await self.control("DELETE", "/faults")

    async def struck(self) -> int:
        """Return how many requests the rules in force have struck."""
        rules = (await self.control("GET", "/faults"))["faults"]
        return sum(int(rule["hits"]) for rule in rules)

    async def refreshes(self) -> int:
        """Return how many refresh tokens it exchanged."""
        counters = (await self.control("GET", ""))["counters"]
        return int(counters["token_requests"].get("refresh_token:ok", 0))

    async def reuses(self) -> int:
        """Return how often it was shown a spent refresh token."""
        return int((await self.control("GET", ""))["counters"]["refresh_reuse"])


@asynccontextmanager
async def open_calendly(url: str) -> AsyncIterator[Calendly]:
    """Yield a sandbox at an address."""
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as http:
        calendly = Calendly(http)
        await calendly.control("PATCH", "/switches", **switched_on())
        yield calendly
