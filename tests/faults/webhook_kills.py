"""`kill -9` of web processes and of PostgreSQL while deliveries stream in.

An answered delivery has to be stored even if a process dies next; an unanswered one is sent again.
An answered delivery is never sent again, so no loss is repaired by chance.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import ClassVar

from adapters.local_stack.errors import LocalStackError
from tests.faults.rig import Rig, eventually, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size
from tests.faults.web_servers import WebServers, open_servers
from tests.faults.webhook_lives import Lives, Post, live
from tests.faults.webhook_sender import Sender, open_sender
from tests.faults.webhook_store import Stored, stored, summary_of

AT_ONCE = 32
POSTGRES, WEB = "PostgreSQL", "web"
ONE_IN = 3
"""Of so many kills one is PostgreSQL's."""
RECOVERS_WITHIN = 60.0


class KillsSize(Size, frozen=True):
    """How many kills there are, and how much is delivered around each."""

    SCALES: ClassVar[tuple[str, ...]] = ("kills",)
    kills: int
    deliveries_a_kill: int = 200
    hosts: int = 40
    processes: int = 4


FULL = KillsSize(kills=50)
SMALL = KillsSize(kills=2, deliveries_a_kill=120, hosts=6, processes=2)


async def run(size: KillsSize) -> list[Row]:
    """Kill one after the other, each during deliveries, and compare once all were answered."""
    random = Random("kills")  # noqa: S311 - the same lives in every run
    # The server syncs, because committed data has to survive.
    async with open_rig(users=size.hosts, durable=True) as rig:
        count = size.kills * size.deliveries_a_kill
        lives = await live(rig, hosts=size.hosts, deliveries=count, random=random)
        posts = random.sample(lives.posts, len(lives.posts))
        victims = [POSTGRES if n % ONE_IN == 0 else WEB for n in range(size.kills)]
        random.shuffle(victims)
        async with (
            open_servers(rig, size.processes) as servers,
            open_sender(servers.urls) as sender,
        ):
            killer = _Killer(rig, servers, sender, random)
            for number, victim in enumerate(victims):
                await killer.strike(victim, posts[number :: size.kills])
        found = await stored(rig)
    return [_row(lives, killer, sender, found)]


class _Killer:
    """`struck` counts, by victim, the kills that met attempts under way."""

    def __init__(self, rig: Rig, servers: WebServers, sender: Sender, random: Random) -> None:
        self._rig = rig
        self._servers = servers
        self._sender = sender
        self._random = random
        self.struck: Counter[str] = Counter()

    async def strike(self, victim: str, posts: Sequence[Post]) -> None:
        """Kill during deliveries; wait until all are answered and the next process serves."""
        when = len(self._sender.took) + self._random.randrange(len(posts) // 2)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sender.send_all(posts, at_once=AT_ONCE))
            await eventually(lambda: len(self._sender.took) > when, within=60, every=0.001)
            self.struck[victim] += self._sender.under_way > 0
            if victim == POSTGRES:
                await self._postgres()
            else:
                await self._web()

    async def _web(self) -> None:
        number = self._random.randrange(len(self._servers.urls))
        await self._servers.kill(number)
        await self._servers.start(number)

    async def _postgres(self) -> None:
        os.kill(self._rig.postgres.child.pid, signal.SIGKILL)
        await asyncio.to_thread(self._rig.postgres.stop)
        if not await eventually(self._restarted, within=RECOVERS_WITHIN):
            raise TimeoutError(f"PostgreSQL did not recover; see {self._rig.postgres.log}")

    async def _restarted(self) -> bool:
        """A server refuses to start while a process of the killed one is left."""
        try:
            await asyncio.to_thread(self._rig.postgres.start)
        except LocalStackError:
            return False
        return True


def _row(lives: Lives, killer: _Killer, sender: Sender, found: Stored) -> Row:
    answered = +sender.answered
    lost, wrong = found.lost(answered), found.wrong(lives.seats)
    struck = killer.struck
    return Row(
        what=f"`kill -9` of web processes ({struck[WEB]}) and PostgreSQL ({struck[POSTGRES]}) "
        f"amid {len(lives.posts):,} deliveries that come again until answered",
        must="0 answered and lost, 0 doubled, bookings equal the sender's",
        seen=f"{len(answered):,} answered after {sender.failed:,} failed attempts, "
        f"{lost} lost, {found.doubled} doubled; {summary_of(found, lives)}",
        # Kills that met nothing prove nothing.
        holds=lost == found.doubled == wrong == 0
        and found.events.total() == len(answered) == len(lives.posts)
        and sender.failed > 0
        and min(struck[WEB], struck[POSTGRES]) > 0,
    )
