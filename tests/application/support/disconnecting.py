"""FinishDisconnect composed over the fakes."""

from datetime import timedelta

from application.integrations.final_refresh import FinalRefresh
from application.integrations.finish_disconnect import FinishDisconnect
from application.integrations.revoke_at_calendly import RevokeAtCalendly
from application.resilience.circuit_breakers import CircuitBreakers
from tests.application.support.building import Product


def finish_disconnect(
    product: Product,
    circuit_breakers: CircuitBreakers,
    *,
    owner: str,
    lease_ttl: timedelta,
    callback_base: str,
) -> FinishDisconnect:
    """Return the use case as one process has it."""
    final_refresh = FinalRefresh(
        storage=product.storage,
        vault=product.vault,
        oauth=product.calendly,
        circuit_breakers=circuit_breakers,
        clock=product.clock,
        randomness=product.randomness,
        lease_ttl=lease_ttl,
    )
    revoke = RevokeAtCalendly(
        oauth=product.calendly,
        subscriptions=product.calendly,
        circuit_breakers=circuit_breakers,
        callback_base=callback_base,
    )
    return FinishDisconnect(
        storage=product.storage,
        vault=product.vault,
        revoke=revoke,
        final_refresh=final_refresh,
        clock=product.clock,
        telemetry=product.telemetry,
        owner=owner,
        lease_ttl=lease_ttl,
        client_id=product.calendly.client_id,
    )
