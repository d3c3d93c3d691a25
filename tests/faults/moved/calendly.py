"""The sandbox Calendly as a process of its own, and what scenarios ask of it."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.faults.calendly import switched_on

ROOT = Path(__file__).parents[3]
NAMED_USERS = 3  # the sandbox seeds them before the numbered ones


class Calendly:
    """A running sandbox."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self._http = http

    async def control(self, method: str, path: str, /, **body: object) -> Any:
        """Ask the control surface; it must agree."""
        sent = None if method == "GET" else body
        answer = await self._http.request(method, f"/_control{path}", json=sent)
        assert answer.is_success, answer.text
        return answer.json()

    async def counters(self) -> dict[str, Any]:
        """Return what it counted since its start."""
        found: dict[str, Any] = (await self.control("GET", ""))["counters"]
        return found

    async def requests(self) -> int:
        """Return how many requests ever reached it, with any outcome."""
        return sum((await self.counters())["requests"].values())

    async def fault(self, **rule: object) -> None:
        """Let it misbehave."""
        await self.control("POST", "/faults", **rule)

    async def recover(self) -> None:
        """Let it behave."""
        await self.control("DELETE", "/faults")


@asynccontextmanager
async def running(users: int) -> AsyncIterator[Calendly]:
    """A sandbox with so many numbered users, on a free port."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--users", str(users)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        ready = process.stdout.readline()
        url = next(word for word in ready.split() if word.startswith("http://"))
        try:
            async with httpx.AsyncClient(
                base_url=url,
                trust_env=False,
                verify=False,  # noqa: S501 - plain HTTP; reading certificates takes time
                timeout=120,
            ) as http:
                calendly = Calendly(url, http)
                await calendly.control("PATCH", "/switches", **switched_on())
                yield calendly
        finally:
            process.kill()  # it keeps nothing
            process.wait()
