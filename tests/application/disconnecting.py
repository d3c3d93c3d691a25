"""FinishDisconnect composed over the fakes."""

from datetime import timedelta

from application.circuits import Circuits
from application.finish_disconnect import FinishDisconnect
from application.last_exchange import LastExchange
from application.leave_calendly import LeaveCalendly
from tests.application.building import Product


def finish_disconnect(
    product: Product, circuits: Circuits, *, owner: str, lease_ttl: timedelta, callback_base: str
) -> FinishDisconnect:
    """Return the use case as one process has it."""
    exchange = LastExchange(
        storage=product.storage,
        vault=product.vault,
        oauth=product.calendly,
        circuits=circuits,
        clock=product.clock,
        entropy=product.entropy,
        lease_ttl=lease_ttl,
    )
    leave = LeaveCalendly(
        oauth=product.calendly,
        subscriptions=product.calendly,
        circuits=circuits,
        callback_base=callback_base,
    )
    return FinishDisconnect(
        storage=product.storage,
        vault=product.vault,
        leave=leave,
        exchange=exchange,
        clock=product.clock,
        signals=product.signals,
        owner=owner,
        lease_ttl=lease_ttl,
    )
