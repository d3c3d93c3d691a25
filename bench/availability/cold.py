"""Many readers of one user of whom nothing is cached, over several processes, all at once."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import httpx
import msgspec

from adapters.bootstrap import open_services
from adapters.local_stack.processes.environment import plain_environment
from adapters.settings import load_settings
from bench.answering import Answering, answering
from bench.availability.load import SENDER, Burst
from bench.population import connect, sandbox_grants
from bench.row import Row
from bench.sending import Seen
from bench.stage import Server, Stage, staged

FEWEST = 24  # readers, so that each of four processes gets each question
_API = "/api/calendly"
_WEEK = timedelta(days=7)
_A_DAY = timedelta(days=1)


class Size(msgspec.Struct, frozen=True):
    """Readers of each user, processes that serve them, and users, one after the other."""

    readers: int = 500
    processes: int = 4
    users: int = 5


class Host(NamedTuple):
    """A user of the sandbox, here and there."""

    id: UUID
    event_types: Sequence[str]


class Cold(NamedTuple):
    """What came of one user's readers: answers, and what Calendly was asked, by route."""

    host: Host
    seen: Seen
    asked: Counter[str]

    @property
    def resources(self) -> int:
        """Event types, busy times, schedules, and the slots of each event type.

        Readers of each were answered, so none was fetched less than once: as many requests as
        resources are one each.
        """
        return 3 + len(self.host.event_types)


async def measure(size: Size) -> list[Cold]:
    """Let everybody read at once, user after user."""
    async with staged(Stage) as stage:
        with (
            stage.serving(
                "sandbox",
                lambda port: ["-m", "sandbox", "--port", str(port), "--users", str(size.users)],
                plain_environment(),
                "/_control/health",
            ) as sandbox,
            ExitStack() as stack,
        ):
            where = {"CALENDLY_API_URL": sandbox.url, "CALENDLY_AUTH_URL": sandbox.url}
            webs = [stack.enter_context(stage.web(**where)) for _ in range(size.processes)]
            api_key = await _api_key(stage)
            hosts = await _hosts(stage, sandbox, size.users)
            async with answering(SENDER, plain_environment()) as sender:
                crowd = _Crowd(webs, sandbox, sender, api_key)
                return [await crowd.read(host, size.readers) for host in hosts]


class _Crowd:
    def __init__(
        self, webs: Sequence[Server], sandbox: Server, sender: Answering, api_key: str
    ) -> None:
        self._ports = [web.port for web in webs]
        self._sandbox = sandbox
        self._sender = sender
        self._api_key = api_key

    async def read(self, host: Host, readers: int) -> Cold:
        """Send all readers of a user, each wanting one of everything there is in turn."""
        questions = _questions(host)
        # As many times as there are processes, so that each gets every question.
        spread = [each for each in questions for _ in self._ports]
        requests = [self._request(host, spread[n % len(spread)]) for n in range(readers)]
        before = await self._asked()
        answer = await self._sender.ask(msgspec.to_builtins(Burst(self._ports, requests)))
        seen = msgspec.convert(answer, Seen, strict=False)
        return Cold(host, seen, await self._asked() - before)

    def _request(self, host: Host, target: str) -> str:
        lines = (
            f"GET {target} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self._api_key}",
            f"X-User-Id: {host.id}",
        )
        return "\r\n".join([*lines, "", ""])

    async def _asked(self) -> Counter[str]:
        found = await _control(self._sandbox, "")
        return Counter(found["counters"]["requests"])


def _questions(host: Host) -> list[str]:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    span = {"start": start.isoformat(), "end": (start + _WEEK / 2).isoformat()}
    slots = (
        f"{_API}/availability?{urlencode({'event_type': each, **span})}"
        for each in host.event_types
    )
    busy = f"{_API}/busy-times?{urlencode(span)}"
    return [*slots, f"{_API}/event-types", busy, f"{_API}/schedules"]


async def _hosts(stage: Stage, sandbox: Server, count: int) -> list[Host]:
    named = 3  # the sandbox seeds them before the numbered ones
    grants = await sandbox_grants(sandbox.url, named, count)
    ids = await connect(stage, grants, lasting=_A_DAY)
    return [
        Host(key, await _event_types(sandbox, grant.owner))
        for key, grant in zip(ids, grants, strict=True)
    ]


async def _event_types(sandbox: Server, owner: str) -> list[str]:
    found = await _control(sandbox, f"/users/{owner.rsplit('/', 1)[-1]}")
    return [each["uuid"] for each in found["event_types"]]


async def _control(sandbox: Server, path: str) -> Any:
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=60) as http:
        answer = await http.get(f"/_control{path}")
    answer.raise_for_status()
    return answer.json()


async def _api_key(stage: Stage) -> str:
    async with open_services(load_settings(stage.environment)) as services:
        _, api_key = await services.manage_api_keys.create("bench")
    return api_key.reveal()


def row(size: Size, found: Sequence[Cold]) -> Row:
    """Return the judgement."""
    asked, statuses = Counter[str](), Counter[int]()
    for each in found:
        asked.update(each.asked)
        statuses.update(each.seen.statuses)
    slowest = max(max(each.seen.latencies) for each in found)
    routes = ", ".join(f"{route} {count}" for route, count in sorted(asked.items()))
    return Row(
        what=f"{size.readers} readers at once of one cold user, {size.processes} processes,"
        f" {len(found)} users one after the other",
        must="exactly one fetch of each Calendly resource; every reader is answered",
        seen=f"{asked.total()} requests for {sum(each.resources for each in found)} resources"
        f" ({routes}); answers {dict(statuses)}, the slowest after {slowest:.1f} s",
        holds=all(each.asked.total() == each.resources for each in found)
        and statuses == {200: size.readers * len(found)},
    )
