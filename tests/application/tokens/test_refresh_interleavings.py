import asyncio
import inspect
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.application.support.refresh_model import Play
from tests.application.support.virtual_time import VirtualTimeLoop

PLAYS = 200
MOVES = 60


class RandomChoice:
    """Implements Choice."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def of(self, count: int) -> int:
        """Choose."""
        return self._random.randrange(count)


async def play_out(random: Random) -> list[str]:
    """Play so many chosen moves; return what was seen and must never be."""
    play = Play(RandomChoice(random))
    await play.begin()
    for _ in range(MOVES):
        moves, weights = zip(*play.moves(), strict=True)
        (move,) = random.choices(moves, weights)
        moved = move()
        if inspect.isawaitable(moved):
            await moved
        await play.settle()
    await play.end()
    return play.faults


@settings(max_examples=PLAYS)
@given(st.randoms(use_true_random=True))
def test_no_interleaving_loses_a_grant(random: Random) -> None:
    """In every order of races, failures and crashes, only Calendly can lose a pair, and it shows."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        faults = runner.run(play_out(random))

    assert faults == []
