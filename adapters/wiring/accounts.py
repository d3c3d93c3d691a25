"""Connecting, refreshing, disconnecting."""

from adapters.calendly.accounts import CalendlyAccountsGateway
from adapters.calendly.subscriptions import CalendlySubscriptionsGateway
from adapters.wiring.addresses import CALLBACK_PATH, WEBHOOK_PATH, public
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import Resources
from application.integrations.begin_connect import BeginConnect
from application.integrations.complete_connect import CompleteConnect
from application.integrations.final_refresh import FinalRefresh
from application.integrations.finish_disconnect import FinishDisconnect
from application.integrations.revoke_at_calendly import RevokeAtCalendly
from application.tokens.recover_tokens import RecoverTokens
from application.tokens.refresh_due_tokens import RefreshDueTokens


def begin_connect(made: Resources, calendly: Calendly) -> BeginConnect:
    """Wire the use case."""
    return BeginConnect(
        storage=made.storage,
        vault=made.vault,
        oauth=calendly.oauth,
        clock=made.clock,
        randomness=made.randomness,
        redirect_uri=public(made, CALLBACK_PATH),
        ttl=made.settings.connect_ttl,
    )


def complete_connect(made: Resources, calendly: Calendly) -> CompleteConnect:
    """Wire the use case."""
    return CompleteConnect(
        storage=made.storage,
        vault=made.vault,
        oauth=calendly.oauth,
        accounts=CalendlyAccountsGateway(calendly.api),
        circuit_breakers=calendly.circuit_breakers,
        jobs=made.jobs,
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
        redirect_uri=public(made, CALLBACK_PATH),
    )


def finish_disconnect(made: Resources, calendly: Calendly) -> FinishDisconnect:
    """Wire the use case."""
    return FinishDisconnect(
        storage=made.storage,
        vault=made.vault,
        leave=_leave_calendly(made, calendly),
        exchange=_last_exchange(made, calendly),
        clock=made.clock,
        telemetry=made.telemetry,
        owner=made.owner,
        lease_ttl=made.settings.refresh_lease,
    )


def _leave_calendly(made: Resources, calendly: Calendly) -> RevokeAtCalendly:
    return RevokeAtCalendly(
        oauth=calendly.oauth,
        subscriptions=CalendlySubscriptionsGateway(calendly.api),
        circuit_breakers=calendly.circuit_breakers,
        callback_base=public(made, WEBHOOK_PATH),
    )


def _last_exchange(made: Resources, calendly: Calendly) -> FinalRefresh:
    return FinalRefresh(
        storage=made.storage,
        vault=made.vault,
        oauth=calendly.oauth,
        circuit_breakers=calendly.circuit_breakers,
        clock=made.clock,
        randomness=made.randomness,
        lease_ttl=made.settings.refresh_lease,
    )


def refresh_due_tokens(made: Resources, calendly: Calendly) -> RefreshDueTokens:
    """Wire the use case."""
    return RefreshDueTokens(
        storage=made.storage,
        exchange=calendly.exchange,
        restore=RecoverTokens(
            storage=made.storage,
            vault=made.vault,
            oauth=calendly.oauth,
            randomness=made.randomness,
            telemetry=made.telemetry,
        ),
        circuit_breakers=calendly.circuit_breakers,
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
        owner=made.owner,
        lease_ttl=made.settings.refresh_lease,
        horizon=made.settings.refresh_horizon,
        # An exchange mostly waits, and those at the same point share a connection to the store.
        concurrency=2 * made.settings.concurrency,
        per_second=made.settings.refresh_rate,
    )
