from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.ports.storage.booking_commands import BookingCommand, Operation
from application.ports.storage.unit_of_work import Storage
from domain.errors import IntegrationNotFound
from domain.ids import BookingId, CommandId, UserId
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)


def command(
    world: World, user_id: UserId, key: str = "key-1", **changes: object
) -> BookingCommand:
    """Return a command that begins at noon with a minute's lease."""
    plain = BookingCommand(
        id=CommandId(world.randomness.new_id()),
        user_id=user_id,
        key=key,
        operation=Operation.CANCEL,
        fingerprint=b"f" * 32,
        started_at=NOON,
        lease_until=NOON + MINUTE,
    )
    return replace(plain, **changes)


async def opened(storage: Storage, wanted: BookingCommand) -> tuple[BookingCommand, bool]:
    """Open a command, committed."""
    async with storage() as uow:
        answer = await uow.booking_commands.open(wanted)
        await uow.commit()
    return answer


async def test_new(storage: Storage, world: World) -> None:
    """A new command is recorded and may be carried out; a key belongs to one user."""
    ada, grace = await world.user("ada"), await world.user("grace")
    for wanted in (command(world, ada), command(world, grace), command(world, ada, "key-2")):
        assert await opened(storage, wanted) == (wanted, True)


async def test_repeat(storage: Storage, world: World) -> None:
    """The same key during the lease returns the recorded command and may not be carried out."""
    ada = await world.user("ada")
    first = command(world, ada)
    await opened(storage, first)

    again = command(world, ada, started_at=NOON + timedelta(seconds=59))
    assert await opened(storage, again) == (first, False)


async def test_taken_over(storage: Storage, world: World) -> None:
    """An unfinished command whose lease is over is taken over under its old id."""
    ada = await world.user("ada")
    first = command(world, ada)
    await opened(storage, first)
    async with storage() as uow:
        assert await uow.booking_commands.mark_sent(first, NOON, first.lease_until)
        await uow.commit()

    again = command(world, ada, started_at=NOON + MINUTE, lease_until=NOON + 2 * MINUTE)
    taken = replace(first, started_at=again.started_at, lease_until=again.lease_until, sent=True)
    assert await opened(storage, again) == (taken, True)
    assert await opened(storage, again) == (taken, False)


async def test_other_request(storage: Storage, world: World) -> None:
    """The same key with another request gets the recorded command and takes nothing over."""
    ada = await world.user("ada")
    first = command(world, ada)
    await opened(storage, first)

    other = command(world, ada, fingerprint=b"g" * 32, started_at=NOON + 2 * MINUTE)
    assert await opened(storage, other) == (first, False)


async def test_finished(storage: Storage, world: World) -> None:
    """A finished command names its booking for ever and is never carried out again."""
    ada = await world.user("ada")
    first = command(world, ada)
    await opened(storage, first)
    booking_id = BookingId(world.randomness.new_id())
    async with storage() as uow:
        await uow.booking_commands.finish(first, booking_id, NOON + MINUTE)
        await uow.booking_commands.release(first, sent=False)
        await uow.commit()

    again = command(world, ada, started_at=NOON + timedelta(days=9))
    done = replace(first, done_at=NOON + MINUTE, booking_id=booking_id)
    assert await opened(storage, again) == (done, False)


async def test_sent(storage: Storage, world: World) -> None:
    """Marking a command as sent renews its lease: it is taken over only when that one is over."""
    ada = await world.user("ada")
    first = command(world, ada)
    await opened(storage, first)
    until = NOON + 2 * MINUTE
    async with storage() as uow:
        assert await uow.booking_commands.mark_sent(first, NOON, until)
        await uow.commit()

    early = command(world, ada, started_at=until - timedelta(seconds=1), lease_until=until)
    renewed = replace(first, sent=True, lease_until=until)
    assert await opened(storage, early) == (renewed, False)
    late = replace(early, started_at=until, lease_until=until + MINUTE)
    taken = replace(renewed, started_at=until, lease_until=late.lease_until)
    assert await opened(storage, late) == (taken, True)


async def taken_over(storage: Storage, world: World, first: BookingCommand) -> BookingCommand:
    """Let a later attempt take an unfinished command over; return it."""
    until = first.lease_until + MINUTE
    later = command(world, first.user_id, started_at=first.lease_until, lease_until=until)
    taken, mine = await opened(storage, later)
    assert mine
    return taken


async def test_lost(storage: Storage, world: World) -> None:
    """A process that lost the command to a later attempt may neither send nor end it."""
    first = command(world, await world.user("ada"))
    await opened(storage, first)
    taken = await taken_over(storage, world, first)

    async with storage() as uow:
        assert not await uow.booking_commands.mark_sent(first, NOON, taken.lease_until + MINUTE)
        await uow.booking_commands.finish(first, BookingId(world.randomness.new_id()), NOON)
        await uow.commit()

    again = command(world, first.user_id, started_at=first.lease_until)
    assert await opened(storage, again) == (taken, False)


async def test_done_or_forgotten_is_not_sent(storage: Storage, world: World) -> None:
    """A command that is done, or that was forgotten, cannot be marked as sent."""
    ada = await world.user("ada")
    done, forgotten = command(world, ada), command(world, ada, "key-2")
    await opened(storage, done)
    async with storage() as uow:
        await uow.booking_commands.finish(done, BookingId(world.randomness.new_id()), NOON)

        assert not await uow.booking_commands.mark_sent(done, NOON, NOON + MINUTE)
        assert not await uow.booking_commands.mark_sent(forgotten, NOON, NOON + MINUTE)


async def release(storage: Storage, failed: BookingCommand, *, sent: bool) -> None:
    """Mark a command as sent, and release it."""
    async with storage() as uow:
        await uow.booking_commands.mark_sent(failed, NOON, failed.lease_until)
        await uow.booking_commands.release(failed, sent=sent)
        await uow.commit()


async def test_released_after_it_may_have_been_sent(storage: Storage, world: World) -> None:
    """A command that may have reached Calendly can be repeated immediately, and shows that."""
    ada = await world.user("ada")
    first = command(world, ada)
    await opened(storage, first)

    await release(storage, first, sent=True)

    assert await opened(storage, command(world, ada)) == (replace(first, sent=True), True)


async def test_forgotten(storage: Storage, world: World) -> None:
    """A failed command leaves its key unused, even for a different request."""
    ada = await world.user("ada")
    first = command(world, ada)
    await opened(storage, first)

    await release(storage, first, sent=False)

    other = command(world, ada, fingerprint=b"g" * 32)
    assert await opened(storage, other) == (other, True)


@pytest.mark.parametrize("sent", [True, False])
async def test_released_too_late(storage: Storage, world: World, sent: bool) -> None:
    """A process that lost the command to a later attempt can no longer release it."""
    ada = await world.user("ada")
    first = command(world, ada)
    await opened(storage, first)
    taken = await taken_over(storage, world, first)

    await release(storage, first, sent=sent)

    again = command(world, ada, started_at=first.lease_until)
    assert await opened(storage, again) == (taken, False)


async def test_unknown_user(storage: Storage, world: World) -> None:
    """A command of a user that does not exist is refused."""
    with pytest.raises(IntegrationNotFound):
        await opened(storage, command(world, UserId(world.randomness.new_id())))
