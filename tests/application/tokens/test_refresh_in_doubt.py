"""A spent token is not sent again while its new pair may still be stored."""

from datetime import timedelta

import pytest

from application.ports.storage.refresh_queue import RefreshStart
from domain.errors import CalendlyUncertain, RefreshInProgress
from domain.integration import REFRESH_OPEN_FOR, Integration, Status
from tests.application.support.building import Product
from tests.application.support.leasing import leased
from tests.application.support.process import LEASE, Process

DOUBT = timedelta(minutes=10)


async def begin_and_vanish(product: Product) -> Integration:
    """Record the start of a refresh whose process then never says anything more."""
    ada = await product.connect()
    _, lease = await leased(product, ada.id)
    now = product.clock.now()
    async with product.storage() as uow:
        start = RefreshStart(ada.id, lease, now, now + LEASE, 1)
        (result,) = await uow.refresh_queue.begin([start])
        await uow.commit()
    assert result.granted
    return ada


async def test_an_exchange_without_outcome_forbids_another(product: Product) -> None:
    """The token stays unsent until the doubt is over, and then it is sent as the last resort."""
    ada = await begin_and_vanish(product)
    process = Process(product, "next", doubt=DOUBT)
    product.clock.advance(LEASE)

    with pytest.raises(RefreshInProgress) as caught:
        await process.refresh.run(ada.id)
    sent = product.calendly.calls["refresh"]
    product.clock.advance(DOUBT - LEASE)
    fresh = await process.refresh.run(ada.id)

    assert caught.value.retry_after == (DOUBT - LEASE).total_seconds()
    assert sent == 0
    assert fresh.status is Status.ACTIVE
    assert fresh.tokens is not None
    assert fresh.tokens.version == 2


async def test_an_answer_known_to_be_lost_leaves_no_doubt(product: Product) -> None:
    """Where no pair came, none can be stored: the token is tried again after 90 seconds."""
    ada = await product.connect()
    process = Process(product, "next", doubt=DOUBT)
    product.calendly.fail_next("refresh", CalendlyUncertain("no answer"))
    with pytest.raises(CalendlyUncertain):
        await process.refresh.run(ada.id)

    product.clock.advance(REFRESH_OPEN_FOR)
    fresh = await process.refresh.run(ada.id)

    assert fresh.tokens is not None
    assert fresh.tokens.version == 2


async def test_a_token_whose_pair_was_stored_without_the_lease_is_not_sent(
    product: Product,
) -> None:
    """A start names the version that it sends; a newer stored pair refuses it."""
    ada = await product.connect()
    _, lease = await leased(product, ada.id)
    now = product.clock.now()
    async with product.storage() as uow:
        start = RefreshStart(ada.id, lease, now, now + LEASE, 0)
        (result,) = await uow.refresh_queue.begin([start])

    assert not result.granted
    assert result.wait is None
