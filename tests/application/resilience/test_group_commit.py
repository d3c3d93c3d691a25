import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from application.resilience.group_commit import GroupCommit
from domain.errors import SlotkeeperError, StorageContended, StorageUnavailable


class Refused(SlotkeeperError):
    """A store's refusal of one item."""


class Writer:
    """Stores words; each write waits until it is let through."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.errors: list[BaseException] = []
        self.turn = asyncio.Semaphore(0)

    async def __call__(self, words: Sequence[str]) -> list[str]:
        """Store a group."""
        self.groups.append(list(words))
        await self.turn.acquire()
        if self.errors:
            raise self.errors.pop(0)
        if "poison" in words:
            raise Refused("No.")
        return [word.upper() for word in words]

    def let_through(self, writes: int = 100) -> None:
        """Let so many writes end."""
        for _ in range(writes):
            self.turn.release()


@pytest.fixture
def writer() -> Writer:
    """A writer that holds back its first write."""
    return Writer()


@pytest.fixture
def commit(writer: Writer) -> GroupCommit[str, str]:
    """Groups of three words at most, one of each first letter."""
    return GroupCommit(writer, key=lambda word: word[0], at_most=3)


async def begun(commit: GroupCommit[str, str], *words: str) -> list[asyncio.Task[str]]:
    """Ask for each word, and let the first write begin."""
    asked = [asyncio.create_task(commit(word)) for word in words]
    for _ in range(3):
        await asyncio.sleep(0)
    return asked


async def test_nothing_waits_for_company(writer: Writer, commit: GroupCommit[str, str]) -> None:
    """A single write goes immediately and by itself."""
    writer.let_through()

    assert await commit("ada") == "ADA"
    assert writer.groups == [["ada"]]


async def test_items_that_arrive_during_a_write_go_together(
    writer: Writer, commit: GroupCommit[str, str]
) -> None:
    """While a group is written the next gathers, up to its size, in the order of asking."""
    first = await begun(commit, "ada")
    others = await begun(commit, "bob", "cat", "dan", "eve")
    assert not any(each.done() for each in first + others)
    writer.let_through()

    assert await asyncio.gather(*first, *others) == ["ADA", "BOB", "CAT", "DAN", "EVE"]
    assert writer.groups == [["ada"], ["bob", "cat", "dan"], ["eve"]]


async def test_two_of_a_kind_follow_each_other(
    writer: Writer, commit: GroupCommit[str, str]
) -> None:
    """Two items about the same thing are never in one group, and keep their order."""
    asked = await begun(commit, "ada", "bob", "anna", "cat")
    writer.let_through()

    await asyncio.gather(*asked)

    assert writer.groups == [["ada", "bob", "cat"], ["anna"]]


async def test_an_outage_fails_the_group_and_no_other(
    writer: Writer, commit: GroupCommit[str, str]
) -> None:
    """All of a group learn that the store was down; the next group is tried."""
    writer.errors = [StorageUnavailable("Away.")]
    first = await begun(commit, "ada", "bob")
    later = await begun(commit, "cat")
    writer.let_through()

    ended = await asyncio.gather(*first, *later, return_exceptions=True)

    assert [type(each) for each in ended] == [StorageUnavailable, StorageUnavailable, str]
    assert writer.groups == [["ada", "bob"], ["cat"]]


async def test_a_refused_item_fails_alone(writer: Writer, commit: GroupCommit[str, str]) -> None:
    """A refused item costs the others of its group nothing."""
    writer.let_through()

    ended = await asyncio.gather(
        commit("ada"), commit("poison"), commit("bob"), return_exceptions=True
    )

    assert ended[0] == "ADA"
    assert isinstance(ended[1], Refused)
    assert ended[2] == "BOB"


async def test_a_canceled_caller_cancels_no_other(
    writer: Writer, commit: GroupCommit[str, str]
) -> None:
    """A cancelled caller's group is written, and the others of it are answered."""
    asked = await begun(commit, "ada", "bob")
    asked[0].cancel()
    writer.let_through()

    assert await asked[1] == "BOB"
    assert asked[0].cancelled()


@pytest.mark.parametrize("error", [asyncio.CancelledError(), RuntimeError("A bug.")])
async def test_an_end_leaves_no_caller_waiting(
    writer: Writer, commit: GroupCommit[str, str], error: BaseException
) -> None:
    """When writing itself breaks, each caller gets the error, and the next write works again."""
    writer.errors = [error]
    asked = await begun(commit, "ada", "anna")
    writer.let_through()

    ended = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(each) for each in ended] == [type(error), type(error)]
    assert await commit("bob") == "BOB"


async def test_without_a_key_any_two_go_together(writer: Writer) -> None:
    """Where items need not see each other, a group takes them in the order of asking."""
    commit = GroupCommit(writer, at_most=2)
    first = await begun(commit, "ada", "anna", "alan")
    writer.let_through()

    await asyncio.gather(*first)

    assert writer.groups == [["ada", "anna"], ["alan"]]


async def test_too_many_waiting_are_refused(writer: Writer) -> None:
    """Beyond the bound a caller is refused immediately with a wait; the others are not affected."""
    commit = GroupCommit(writer, at_most=1, most_waiting=2)
    asked = await begun(commit, "ada", "bob")
    asked += await begun(commit, "cat")

    with pytest.raises(StorageUnavailable) as refusal:
        await commit("dan")

    assert refusal.value.retry_after
    writer.let_through()
    assert await asyncio.gather(*asked) == ["ADA", "BOB", "CAT"]


async def test_each_of_a_failed_group_is_stored_singly(writer: Writer) -> None:
    """After a failure other than an outage each item of the group is stored alone, or refused."""

    async def singly(word: str) -> str:
        if word == "poison":
            raise Refused("No.")
        return f"{word} alone"

    commit = GroupCommit(writer, singly=singly)
    writer.errors = [RuntimeError("A bug."), StorageUnavailable("Away.")]
    asked = await begun(commit, "ada", "poison", "bob")
    later = await begun(commit, "cat")
    writer.let_through()

    ended = await asyncio.gather(*asked, *later, return_exceptions=True)

    assert ended[0] == "ada alone"
    assert isinstance(ended[1], Refused)
    assert ended[2] == "bob alone"
    assert isinstance(ended[3], StorageUnavailable)


async def test_a_contended_group_is_stored_singly_and_at_once(writer: Writer) -> None:
    """An item that waits for a lock delays no other item of its group."""
    held = asyncio.Event()

    async def singly(word: str) -> str:
        if word == "held":
            await held.wait()
        return f"{word} alone"

    writer.errors = [StorageContended("Held.")]
    asked = await begun(GroupCommit(writer, singly=singly), "held", "ada", "bob")
    writer.let_through()

    assert await asyncio.gather(*asked[1:]) == ["ada alone", "bob alone"]
    assert not asked[0].done()
    held.set()
    assert await asked[0] == "held alone"


async def test_a_contended_group_without_another_way_is_written_one_by_one(
    writer: Writer, commit: GroupCommit[str, str]
) -> None:
    """An item without a lock in its way is stored, and the locked one gets an error."""
    writer.errors = [StorageContended("Held.")] * 2
    asked = await begun(commit, "ada", "bob")
    writer.let_through()

    ended = await asyncio.gather(*asked, return_exceptions=True)

    assert isinstance(ended[0], StorageContended)
    assert ended[1] == "BOB"


async def test_what_has_arrived_is_let_in(writer: Writer) -> None:
    """Items that arrive within a few turns of the event loop join the group that is about to begin."""
    commit = GroupCommit(writer, turns=3)
    writer.let_through()

    async def after(turns: int, word: str) -> str:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await commit(word)

    await asyncio.gather(after(0, "ada"), after(2, "bob"), after(4, "cat"), after(30, "dan"))

    assert writer.groups == [["ada", "bob", "cat"], ["dan"]]


async def test_a_full_group_does_not_wait(writer: Writer) -> None:
    """A group is written as soon as it is full, for any number of arrivals."""
    commit = GroupCommit(writer, at_most=2, turns=1000)

    await begun(commit, "ada", "bob", "cat")

    assert writer.groups == [["ada", "bob"]]
    writer.let_through()


async def test_nothing_of_a_caller_goes_into_the_writer() -> None:
    """The context of the caller that started the writer does not reach the others' writes."""
    bound: ContextVar[str] = ContextVar("bound", default="nothing")
    seen = []

    async def write(words: Sequence[str]) -> Sequence[str]:
        seen.append(bound.get())
        return words

    bound.set("a caller's")
    await GroupCommit(write)("ada")

    assert seen == ["nothing"]
