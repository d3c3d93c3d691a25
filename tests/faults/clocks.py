"""Hosts whose clocks differ by minutes, over one database: each request meets two of them.

The first process books, or refreshes, and waits for a slow Calendly. During this wait another process
gets the same request. By its own clock the first one's lease would have ended.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import permutations
from typing import Any, ClassVar

import httpx
import msgspec

from adapters.system.clock import SystemClock
from adapters.system.clock_sync import LIMIT
from adapters.system.randomness import SystemRandomness
from application.security.manage_api_keys import ManageApiKeys
from tests.faults import accounts
from tests.faults.accounts import Connected, Verdict
from tests.faults.faketime import skewed
from tests.faults.rig import Rig, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size
from tests.faults.web_servers import open_servers

AT_ONCE = 100
# A gauge that is further from the truth than this would mislead (seconds).
NEAR = 3.0
_GAUGE = re.compile(r"^slotkeeper_clock_skew_seconds (\S+)$", re.MULTILINE)


class ClockSize(Size, frozen=True):
    """How many accounts, each with one booking and one refresh, over hosts with these clocks.

    Args:
        accounts: how many; each books once and refreshes once.
        ahead: how far each process's clock is ahead (seconds).
        slow: how long Calendly's answers take (seconds).
        after: how long after the first request the second one leaves (seconds).

    """

    SCALES: ClassVar[tuple[str, ...]] = ("accounts",)
    accounts: int
    ahead: tuple[int, ...] = (-300, 0, 62, 300)
    slow: float = 8.0
    after: float = 2.0


FULL = ClockSize(accounts=1_000)
SMALL = ClockSize(accounts=4, ahead=(0, 100), slow=4.0, after=1.0)

Ask = Callable[[httpx.AsyncClient, int], Coroutine[Any, Any, httpx.Response]]


class Seen(msgspec.Struct, frozen=True):
    """The results of a run.

    Args:
        answers: first and second answer of each booking, as status and code.
        seats: how many seats each account's invitee got at Calendly.
        refreshes: first and second answer of each refresh.
        reused: how often a spent token was sent again.
        verdicts: on the accounts at the end.
        healths: each process's readiness and its gauge (seconds).

    """

    answers: Counter[tuple[str, str]]
    seats: Counter[int]
    refreshes: Counter[tuple[str, str]]
    reused: int
    verdicts: Sequence[Verdict]
    healths: Sequence[tuple[bool, float]]


async def run(size: ClockSize) -> list[Row]:
    """Send each booking and each refresh to two processes whose clocks differ."""
    options = {"REFRESH_RATE": "0", "LOG_LEVEL": "error"}
    environs = [skewed(timedelta(seconds=each)) for each in size.ahead]
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(open_rig(users=size.accounts, settings=options))
        connected = await accounts.connect(rig, size.accounts, expires_in=timedelta(hours=2))
        servers = await stack.enter_async_context(open_servers(rig, len(environs), environs))
        headers = {"Authorization": f"Bearer {await _key(rig)}"}
        webs = [
            await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=url,
                    headers=headers,
                    timeout=120,
                    trust_env=False,
                    limits=httpx.Limits(max_connections=2 * AT_ONCE),
                )
            )
            for url in servers.urls
        ]
        seen = await _play(rig, webs, size, connected)
    return [_row(size, seen)]


async def _play(
    rig: Rig, webs: Sequence[httpx.AsyncClient], size: ClockSize, connected: Sequence[Connected]
) -> Seen:
    bodies = [await _booking(rig, number) for number in range(size.accounts)]

    async def book(web: httpx.AsyncClient, number: int) -> httpx.Response:
        headers = _of(number) | {"Idempotency-Key": f"booking-{number}"}
        return await web.post("/api/calendly/bookings", headers=headers, json=bodies[number])

    async def refresh(web: httpx.AsyncClient, number: int) -> httpx.Response:
        return await web.post("/api/calendly/integration/refresh", headers=_of(number))

    healths = [await _health(web) for web in webs]
    await rig.calendly.fault(
        method="POST", path="/invitees", kind="latency", seconds=size.slow, processed=False
    )
    answers = await _twice(webs, size, book)
    await rig.calendly.heal()
    await rig.calendly.fault(
        path="/oauth/token", kind="latency", seconds=size.slow, processed=True
    )
    refreshes = await _twice(webs, size, refresh)
    await rig.calendly.heal()
    return Seen(
        answers=answers,
        seats=await _seats(rig, size),
        refreshes=refreshes,
        reused=await rig.calendly.reuses(),
        verdicts=await accounts.verdicts(rig, connected),
        healths=healths,
    )


async def _twice(
    webs: Sequence[httpx.AsyncClient], size: ClockSize, ask: Ask
) -> Counter[tuple[str, str]]:
    pairs = list(permutations(webs, 2))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> tuple[str, str]:
        first, second = pairs[number % len(pairs)]
        async with gate:
            early = asyncio.create_task(ask(first, number))
            await asyncio.sleep(size.after)
            late = await ask(second, number)
            return _code(await early), _code(late)

    return Counter(await asyncio.gather(*map(one, range(size.accounts))))


def _code(answer: httpx.Response) -> str:
    code = "" if answer.is_success else answer.json()["code"]
    return f"{answer.status_code} {code}".strip()


def _of(number: int) -> dict[str, str]:
    return {"X-User-Id": f"person-{number}"}


async def _key(rig: Rig) -> str:
    keys = ManageApiKeys(storage=rig.storage, randomness=SystemRandomness(), clock=SystemClock())
    _, key = await keys.create("clocks")
    return key.reveal()


async def _booking(rig: Rig, number: int) -> dict[str, Any]:
    """Return a request for a seat of a group event, which may be booked twice."""
    user = await rig.calendly.control("GET", f"/users/user-{number + 1:05}@sandbox.example")
    workshop = user["event_types"][-1]["uuid"]
    slots = await rig.calendly.control("GET", f"/event-types/{workshop}/slots")
    return {
        "event_type": workshop,
        # The first slot may begin before a long run ends.
        "start": slots["collection"][-1]["start_time"],
        "invitee": {"name": "Iris", "email": _email(number), "timezone": "Europe/Berlin"},
    }


def _email(number: int) -> str:
    return f"iris-{number}@example.net"


async def _seats(rig: Rig, size: ClockSize) -> Counter[int]:
    booked = (await rig.calendly.control("GET", "/invitees"))["invitees"]
    per_person = Counter(each["email"] for each in booked)
    return Counter(per_person[_email(number)] for number in range(size.accounts))


async def _health(web: httpx.AsyncClient) -> tuple[bool, float]:
    """Return whether the clock is not the reason to be unready, and the gauge."""
    ready = (await web.get("/health/ready")).json()
    [check] = [each for each in ready["checks"] if each["name"] == "clock"]
    gauge = _GAUGE.search((await web.get("/metrics")).text)
    return ready["ready"] and check["ok"], float(gauge[1]) if gauge else float("nan")


def _row(size: ClockSize, seen: Seen) -> Row:
    person = sum(each.labelled is not None for each in seen.verdicts)
    kept = sum(each.kept for each in seen.verdicts)
    told = all(
        ready == (abs(ahead) < LIMIT.total_seconds()) and abs(gauge - ahead) < NEAR
        for ahead, (ready, gauge) in zip(size.ahead, seen.healths, strict=True)
    )
    once = seen.seats == {1: size.accounts}
    exchanged = Counter(each.grant.exchanges for each in seen.verdicts)
    return Row(
        what=f"{len(size.ahead)} processes with clocks at "
        f"{', '.join(f'{each:+d}' for each in size.ahead)} s: {size.accounts:,} bookings and "
        f"{size.accounts:,} refreshes, each sent to two of them, answers {size.slow:g} s slow",
        must="0 double bookings, 0 spent tokens sent again, 0 `reauth_required`; the skewed ones "
        "say so and are not ready",
        seen=f"seats per booking {dict(seen.seats)}, answers {_told(seen.answers)}; refreshes "
        f"{_told(seen.refreshes)}, exchanges per grant {dict(exchanged)}, {seen.reused} reused, "
        f"{person} `reauth_required`, {kept:,} kept; ready and skew "
        f"{', '.join(f'{ready} {gauge:+.1f}' for ready, gauge in seen.healths)}",
        holds=once
        and not seen.reused
        and not person
        and kept == size.accounts
        # On a busy machine the second request may be the first to arrive.
        and all(_served(pair) for pair in [*seen.answers, *seen.refreshes])
        and told,
    )


def _served(pair: tuple[str, str]) -> bool:
    """Whether one of both processes did it."""
    return any(each.startswith("20") for each in pair)


def _told(answers: Counter[tuple[str, str]]) -> str:
    return "; ".join(
        f"{count:,}: {first}, then {then}" for (first, then), count in answers.items()
    )
