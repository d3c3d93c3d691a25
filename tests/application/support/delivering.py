"""Calendly's signed webhook deliveries, for the host of Calendly's own example bodies."""

import hmac
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from application.webhooks.delivery import IngestResult
from domain.booking import BookingStatus
from domain.integration import Integration
from domain.secret import Secret
from domain.subscription import new_key
from tests.application.support.building import Product
from tests.application.support.process import SIGNING_KEY, Process
from tests.fakes.calendly import bodies
from tests.fakes.state import EventRow


def signed(body: bytes, at: datetime, key: Secret = SIGNING_KEY) -> str:
    """Return the signature header of a delivery made at this time (UTC)."""
    stamp = int(at.timestamp())
    digest = hmac.digest(key.reveal().encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return f"t={stamp},v1={digest}"


def key_of(integration: Integration) -> str:
    """Return a subscription key of the integration."""
    return new_key(integration.id, "token")


def created(number: int = 1, **changed: Any) -> bytes:
    """Return `invitee.created` for the invitee of this number."""
    uri = f"{bodies.EVENT}/invitees/INVITEE{number:04}"
    return bodies.webhook("invitee.created", bodies.payload(uri=uri, **changed))


def canceled(number: int = 1, **changed: Any) -> bytes:
    """Return `invitee.canceled` for the invitee of this number."""
    uri = f"{bodies.EVENT}/invitees/INVITEE{number:04}"
    payload = bodies.payload(
        uri=uri,
        status="canceled",
        cancellation=bodies.cancellation(),
        updated_at=bodies.stamp(bodies.OCCURRED_AT),
    )
    return bodies.webhook("invitee.canceled", payload | changed)


async def connect(product: Product, external_id: str = "ada") -> Integration:
    """Connect a user with the account of Calendly's example bodies."""
    made = await product.connect(external_id)
    account = replace(made.account, user_uri=bodies.USER)
    integration = replace(made, account=account)
    async with product.storage() as uow:
        await uow.integrations.put_connected(integration)
        await uow.commit()
    return integration


async def deliver(
    process: Process, body: bytes, to: Integration | None, *, key: str | None = None
) -> IngestResult:
    """Deliver a body, well signed, to an integration's own address, or to the app's."""
    address = key or (key_of(to) if to else None)
    return await process.ingest(body, signed(body, process.clock.now()), address)


def events(product: Product) -> list[EventRow]:
    """Return the stored events."""
    return list(product.storage.state.webhook_events.values())


def statuses(product: Product) -> list[BookingStatus]:
    """Return the status of each booking."""
    return [each.facts.status for each in product.storage.state.bookings.values()]
