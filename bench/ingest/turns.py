"""Turns of servers under the same load, one after the other, round after round."""

import sys
from collections.abc import Mapping
from typing import NamedTuple

from adapters.local_stack.processes.environment import plain_environment
from bench.answering import answering
from bench.ingest.bodies import Host
from bench.ingest.load import Order
from bench.ingest.server import Mode
from bench.ingest.stage import Stage
from bench.stage import Server
from bench.turns import Side, Turn, take_turn
from bench.usage import resident

_SENDER = (sys.executable, "-m", "bench.ingest.load")


class Load(NamedTuple):
    """Turns of each server, requests of each turn, and connections that carry them."""

    rounds: int
    requests: int
    connections: int

    @property
    def warming(self) -> int:
        """Requests of the turn before the first one, which only warms a server up."""
        return max(self.connections, self.requests // 4)


async def take_turns(
    stage: Stage, servers: Mapping[Mode, Server], hosts: list[Host], load: Load
) -> dict[Mode, Side]:
    """Return every server's side."""
    turns: dict[Mode, list[Turn]] = {mode: [] for mode in servers}
    async with answering(_SENDER, plain_environment()) as sender:
        for number in range(-1, load.rounds):
            count = load.warming if number < 0 else load.requests
            for mode, server in servers.items():
                order = Order(server.port, count, load.connections, hosts)
                turn = await take_turn(server, stage.postgres.child.pid, sender, order)
                if number >= 0:
                    turns[mode].append(turn)
    return {
        mode: Side(mode, turns[mode], resident(server.child.pid))
        for mode, server in servers.items()
    }
