"""The signing key that each subscription is created with."""

import pytest

from application.webhooks.ensure_subscription import KEPT, REPLACED
from domain.integration import Integration
from domain.subscription_signing import own_signing_key
from tests.application.support.building import Product
from tests.application.support.process import CALLBACK_BASE, OLD_SIGNING_KEY, SIGNING_KEY, Process


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user without a subscription."""
    return await product.connect()


async def test_a_subscription_gets_a_key_of_its_own(
    product: Product, process: Process, ada: Integration
) -> None:
    """Calendly is given a signing key that belongs to this one address, never the app's own."""
    await process.ensure(ada.id)

    ((_, made),) = product.calendly.subscriptions.values()
    key = made.callback_url.rsplit("/", 1)[-1]
    assert product.calendly.signing_keys[made.uri] == own_signing_key(SIGNING_KEY, key)


async def test_a_changed_signing_key_replaces_what_comes_from_the_old_one(
    product: Product, process: Process, ada: Integration
) -> None:
    """Once another key is the newest, each subscription is made again under it, and only once."""
    await process.ensure_at(CALLBACK_BASE, OLD_SIGNING_KEY)(ada.id)
    ((_, old),) = product.calendly.subscriptions.values()

    assert await process.ensure(ada.id) == REPLACED
    assert await process.ensure(ada.id) == KEPT

    ((_, made),) = product.calendly.subscriptions.values()
    assert made.uri != old.uri
    reasons = [each[1] for each in product.telemetry.seen if each[0] == "subscription_replaced"]
    assert reasons == ["rekeyed"]
