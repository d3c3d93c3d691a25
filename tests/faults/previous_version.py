"""The last release's code serves on the present schema, as it does during a deploy.

The present `migrate` prepares the database, and the hosts of the deliveries are stored by the
present code. Users connect, read, refresh and book while Calendly delivers.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, ClassVar
from urllib.parse import urlsplit

import click
import httpx
import msgspec

from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from application.security.manage_api_keys import ManageApiKeys
from tests.faults import previous_release
from tests.faults.previous_release import COMMIT, NotInRepository
from tests.faults.rig import Rig, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize
from tests.faults.web_servers import open_servers
from tests.faults.webhook_lives import Lives, live
from tests.faults.webhook_sender import Sender, open_sender
from tests.faults.webhook_store import stored

AT_ONCE = 8
# The sandbox accepts redirects to a loopback address only.
SETTINGS = {"PUBLIC_URL": "http://127.0.0.1:8000", "LOG_LEVEL": "warning"}
API = "/api/calendly"


class Size(AnySize, frozen=True):
    """The number of users who connect, of deliveries, and of the deliveries' hosts."""

    SCALES: ClassVar[tuple[str, ...]] = ("connects", "deliveries")
    connects: int
    deliveries: int
    hosts: int = 40


FULL = Size(connects=200, deliveries=5_000)
SMALL = Size(connects=4, deliveries=60, hosts=4)


class Seen(msgspec.Struct, frozen=True):
    """Answers to users by request and status; lost deliveries; bookings that are wrong."""

    users: Counter[tuple[str, int]]
    lost: int
    wrong: int


async def run(size: Size) -> list[Row]:
    """Serve users and deliveries with the last release's code.

    Returns no row, and prints the reason on stderr, where the history does not have that code.
    """
    try:
        packages = await asyncio.to_thread(previous_release.archive)
    except NotInRepository as missing:
        click.echo(f"previous-version is skipped: {missing}", err=True)
        return []
    return [await _serve(packages, size)]


async def _serve(packages: bytes, size: Size) -> Row:
    random = Random("previous version")  # noqa: S311 - the same lives in every run
    async with open_rig(users=size.hosts + size.connects, settings=SETTINGS) as rig:
        environ = await asyncio.to_thread(
            previous_release.unpack, packages, rig.folder / "release"
        )
        lives = await live(rig, hosts=size.hosts, deliveries=size.deliveries, random=random)
        async with (
            open_servers(rig, 1, [environ]) as servers,
            open_sender(servers.urls) as sender,
            httpx.AsyncClient(base_url=servers.urls[0], timeout=60, trust_env=False) as http,
        ):
            users = Users(rig, http, first=size.hosts + 1)
            posts = random.sample(lives.posts, len(lives.posts))
            await asyncio.gather(
                sender.send_all(posts, at_once=AT_ONCE), users.come(size.connects)
            )
        seen = await _seen(rig, lives, users)
    return _row(size, sender, seen)


class Users:
    """New users, who each do everything once.

    Attributes:
        answers: how often each request was answered with each status.

    """

    def __init__(self, rig: Rig, http: httpx.AsyncClient, *, first: int) -> None:
        self._rig, self._http, self._first = rig, http, first
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.answers: Counter[tuple[str, int]] = Counter()

    async def come(self, count: int) -> None:
        """Let so many users come, a limited number concurrently."""
        self._http.headers["Authorization"] = f"Bearer {await _key(self._rig)}"
        async with asyncio.TaskGroup() as group:
            for number in range(self._first, self._first + count):
                group.create_task(self._visit(number))

    async def _visit(self, number: int) -> None:
        async with self._gate:
            if await self._connect(number):
                await self._ask("integration", number, "GET", "/integration")
                await self._ask("refresh", number, "POST", "/integration/refresh")
                await self._book(number)
                await self._ask("bookings", number, "GET", "/bookings")

    async def _connect(self, number: int) -> bool:
        begun = await self._ask("begin", number, "GET", "/connect")
        if begun is None:
            return False
        consent = {
            "user": f"user-{number:05}@sandbox.example",
            "authorize_url": begun["authorize_url"],
        }
        allowed = await self._rig.calendly.control("POST", "/consent", **consent)
        back = urlsplit(allowed["redirect_to"])
        path = back.path.removeprefix(API)
        back_again = await self._ask("connect", number, "GET", f"{path}?{back.query}")
        if back_again is None or "handle" not in back_again:
            return back_again is not None
        body = {"handle": back_again["handle"]}
        return (
            await self._ask("confirm", number, "POST", "/connect/confirm", json=body) is not None
        )

    async def _book(self, number: int) -> None:
        types = await self._ask("event types", number, "GET", "/event-types")
        if types is None:
            return
        event_type = next(each["uri"] for each in types["items"] if not each["questions"])
        start = datetime.now(UTC) + timedelta(hours=1)
        asked = {
            "event_type": event_type,
            "start": start.isoformat(),
            "end": (start + timedelta(days=7)).isoformat(),
        }
        offered = await self._ask("slots", number, "GET", "/availability", params=asked)
        if offered is None:
            return
        booking = {
            "event_type": event_type,
            "start": offered["slots"][-1]["start"],
            "invitee": {"name": "Noor", "email": "noor@example.net", "timezone": "UTC"},
        }
        key = {"Idempotency-Key": "book-1"}
        await self._ask("book", number, "POST", "/bookings", headers=key, json=booking)

    async def _ask(
        self,
        name: str,
        number: int,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Any:
        """Count the answer; return the body of one that is 2xx."""
        user = {"X-User-Id": f"newcomer-{number}", **(headers or {})}
        answer = await self._http.request(method, API + path, headers=user, **options)
        self.answers[name, answer.status_code] += 1
        return answer.json() if answer.is_success else None


async def _key(rig: Rig) -> str:
    keys = ManageApiKeys(storage=rig.storage, randomness=SystemRandomness(), clock=SystemClock())
    _, key = await keys.create("newcomers")
    return key.reveal()


async def _seen(rig: Rig, lives: Lives, users: Users) -> Seen:
    found = await stored(rig)
    return Seen(
        users=users.answers,
        lost=found.lost(lives.posts),
        # The users' own bookings are none of the lives.
        wrong=sum(found.seats.get(seat) != truth for seat, truth in lives.seats.items()),
    )


def _row(size: Size, sender: Sender, seen: Seen) -> Row:
    statuses = Counter(sender.results)
    for (_, status), many in seen.users.items():
        statuses[status] += many
    bad = sum(many for status, many in statuses.items() if status not in range(500))
    refused = sum(many for (_, status), many in seen.users.items() if status not in range(300))
    connected = seen.users["connect", 200]
    return Row(
        what=f"the code of the last release ({COMMIT[:7]}) on this schema: {size.connects:,} users"
        f" connect, read, refresh and book during {len(sender.took):,} deliveries",
        must="0 answers of 5xx, every user connected, nothing lost, every booking right",
        seen=f"{bad} of 5xx or broken; {_words(statuses)}; {connected:,} connected; {refused}"
        f" requests of users refused; {seen.lost} lost, {seen.wrong} bookings wrong",
        holds=bad == refused == seen.lost == seen.wrong == 0
        and connected == seen.users["book", 201] == size.connects
        and set(sender.results) == {204},
    )


def _words(statuses: Counter[int | str]) -> str:
    ordered = sorted(statuses.items(), key=lambda each: str(each[0]))
    return ", ".join(f"{many:,} of {status}" for status, many in ordered)
