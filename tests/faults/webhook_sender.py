"""Deliveries over HTTP as Calendly makes them: signed when sent, and again until answered 2xx.

Calendly: webhook errors. A delivery fails if its answer is not 2xx, or if it takes longer than 10
seconds to connect or 15 to answer. Each repetition comes later, for a day; here for two minutes.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import httpx
from httpx_aiohttp import AiohttpTransport

from sandbox.deliveries.signature import HEADER, sign
from tests.adapters.sound_environ import SECRETS
from tests.faults.webhook_lives import Post

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
GIVES_UP_AFTER = 120.0
TIMEOUT = httpx.Timeout(15.0, connect=10.0, pool=None)
_KEY = SECRETS["CALENDLY_WEBHOOK_SIGNING_KEY"].partition(",")[0]


class Sender:
    """Spreads deliveries over the servers, as a load balancer that knows no health does.

    Attributes:
        answered: how often each was answered 2xx; 0 for what was given up.
        results: of every attempt: a status, or `broken`.
        took: seconds of each attempt that was answered 2xx.
        under_way: attempts that wait for their answer.

    """

    def __init__(self, http: httpx.AsyncClient, urls: Sequence[str]) -> None:
        self._http = http
        self._urls = urls
        self._turn = count()
        self.answered: Counter[Post] = Counter()
        self.results: Counter[int | str] = Counter()
        self.took: list[float] = []
        self.under_way = 0

    async def send_all(self, posts: Sequence[Post], *, at_once: int) -> None:
        """Send all of them, a limited number concurrently, until each is answered or given up."""
        queue = iter(posts)
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._send_from(queue))

    async def _send_from(self, queue: Iterator[Post]) -> None:
        for post in queue:
            self.answered[post] += await self._delivered(post)

    async def _delivered(self, post: Post) -> bool:
        """Return whether it was answered 2xx before it was given up."""
        pause, until = FIRST_PAUSE, time.monotonic() + GIVES_UP_AFTER
        while not await self._attempt(post):
            if time.monotonic() > until:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        return True

    async def _attempt(self, post: Post) -> bool:
        url = self._urls[next(self._turn) % len(self._urls)] + post.path
        signature = sign(_KEY, post.body, int(time.time()))
        headers = {"Content-Type": "application/json", HEADER: signature}
        started = time.monotonic()
        self.under_way += 1
        try:
            answer = await self._http.post(url, content=post.body, headers=headers)
        except httpx.HTTPError:
            self.results["broken"] += 1
            return False
        finally:
            self.under_way -= 1
        self.results[answer.status_code] += 1
        if answer.is_success:
            self.took.append(time.monotonic() - started)
        return answer.is_success

    @property
    def failed(self) -> int:
        """Attempts that were not answered 2xx."""
        return self.results.total() - len(self.took)

    @property
    def slow(self) -> float:
        """Milliseconds below which 99 in 100 of the good answers came."""
        return sorted(self.took)[len(self.took) * 99 // 100] * 1_000


@asynccontextmanager
async def open_sender(urls: Sequence[str]) -> AsyncIterator[Sender]:
    """Yield a sender to these servers."""
    transport = AiohttpTransport(trust_env=False)
    async with httpx.AsyncClient(timeout=TIMEOUT, transport=transport, trust_env=False) as http:
        yield Sender(http, urls)
