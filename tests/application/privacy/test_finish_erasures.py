from datetime import timedelta
from uuid import UUID

from application.privacy.finish_erasures import Place, Step
from domain.audit import Actor
from domain.errors import StorageUnavailable
from tests.application.support.building import Product
from tests.application.support.process import Process

CLI = Actor("cli")

GRACE = "grace@example.net"


async def test_nothing_to_end(process: Process) -> None:
    """Without an erasure that was cut off there is one look, and no page."""
    assert await process.finish_erasures(None, 10) == Step(more=False)


async def test_a_record_that_is_gone_is_not_ended(product: Product, process: Process) -> None:
    """An erasure whose record was deleted is left, and the job looks for another one."""
    place = Place(erasure=UUID(int=7), in_bodies=True)

    assert await process.finish_erasures(place, 10) == Step()
    assert product.storage.state.erasures == {}


async def test_what_a_repetition_ended_keeps_its_counts(
    product: Product, process: Process
) -> None:
    """An erasure that is repeated while the job works on it ends once, and is reported once."""
    product.storage.fail_next(None, StorageUnavailable("killed"))
    try:
        await process.erase_invitee(GRACE, CLI)
    except StorageUnavailable:
        product.clock.advance(timedelta(hours=2))
    begun = await process.finish_erasures(None, 10)
    await process.erase_invitee(GRACE, CLI)

    booked = await process.finish_erasures(begun.place, 10)
    ended = await process.finish_erasures(booked.place, 10)

    assert (ended.finished, ended.more) == (0, True)
    assert product.telemetry.seen["invitee_erased", 0, 0, 0] == 1
