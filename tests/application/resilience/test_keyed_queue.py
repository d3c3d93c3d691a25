import asyncio

import pytest

from application.resilience.keyed_queue import KeyedQueue
from domain.errors import StorageUnavailable


class Work:
    """Notes which words are worked; each word waits until it is released."""

    def __init__(self) -> None:
        self.at_work: list[str] = []
        self.held: dict[str, asyncio.Event] = {}

    async def __call__(self, word: str) -> str:
        """Do the work of one word."""
        self.at_work.append(word)
        try:
            if word in self.held:
                await self.held[word].wait()
            if word.startswith("bad"):
                raise LookupError(word)
            return word.upper()
        finally:
            self.at_work.remove(word)

    def hold(self, word: str) -> asyncio.Event:
        """Hold a word."""
        self.held[word] = asyncio.Event()
        return self.held[word]


@pytest.fixture
def work() -> Work:
    """Work that does not wait."""
    return Work()


@pytest.fixture
def queue(work: Work) -> KeyedQueue[str, str]:
    """Two slots, and a key for each first letter."""
    return KeyedQueue(work, queue_key=lambda word: word[0], at_once=2, most_waiting=4)


async def begun(queue: KeyedQueue[str, str], *words: str) -> list[asyncio.Task[str]]:
    """Ask for each word, and let what can begin do so."""
    asked = [asyncio.create_task(queue(word)) for word in words]
    for _ in range(5):
        await asyncio.sleep(0)
    return asked


async def test_an_item_that_waits_delays_its_own_key_only(
    work: Work, queue: KeyedQueue[str, str]
) -> None:
    """Items of other keys are worked, while items behind a waiting one use no slot."""
    held = work.hold("ada")

    asked = await begun(queue, "ada", "anna", "bob")

    assert [each.done() for each in asked] == [False, False, True]
    assert work.at_work == ["ada"]
    held.set()
    assert await asyncio.gather(*asked) == ["ADA", "ANNA", "BOB"]


async def test_a_limited_number_of_keys_is_worked(work: Work, queue: KeyedQueue[str, str]) -> None:
    """With any number of keys, only so many use connections."""
    held = [work.hold(word) for word in ("ada", "bob", "cat")]

    asked = await begun(queue, "ada", "bob", "cat")

    assert work.at_work == ["ada", "bob"]
    for each in held:
        each.set()
    await asyncio.gather(*asked)


async def test_too_many_are_refused(work: Work, queue: KeyedQueue[str, str]) -> None:
    """Beyond the bound a caller is refused immediately with a wait; the others are not affected."""
    held = work.hold("ada")
    asked = await begun(queue, "ada", "anna", "alan", "abel")

    with pytest.raises(StorageUnavailable) as refusal:
        await queue("bob")

    assert refusal.value.retry_after
    held.set()
    await asyncio.gather(*asked)
    assert await queue("bob") == "BOB"


async def test_an_error_or_a_cancellation_frees_the_key(
    work: Work, queue: KeyedQueue[str, str]
) -> None:
    """An error and a cancellation reach their own caller, and the next item of the key runs."""
    work.hold("ada")
    first, second = await begun(queue, "ada", "bad")
    first.cancel()
    await asyncio.wait([first, second])

    assert first.cancelled()
    assert isinstance(second.exception(), LookupError)
    assert await queue("bob") == "BOB"
    assert await queue("anna") == "ANNA"
