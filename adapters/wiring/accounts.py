"""Connecting, refreshing, disconnecting."""

from adapters.calendly.accounts import CalendlyAccountsGateway
from adapters.calendly.subscriptions import CalendlySubscriptionsGateway
from adapters.settings import CONFIRMATION_OFF
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import CALLBACK_PATH, WEBHOOK_PATH, Resources
from application.integrations.begin_connect import BeginConnect
from application.integrations.complete_connect import CompleteConnect
from application.integrations.confirm_connect import ConfirmConnect
from application.integrations.connect_account import ConnectAccount
from application.integrations.final_refresh import FinalRefresh
from application.integrations.finish_disconnect import FinishDisconnect
from application.integrations.revoke_at_calendly import RevokeAtCalendly
from application.integrations.store_integration import StoreIntegration
from application.tokens.recover_tokens import RecoverTokens
from application.tokens.refresh_due_tokens import RefreshDueTokens


def begin_connect(resources: Resources, calendly: Calendly) -> BeginConnect:
    return BeginConnect(
        storage=resources.storage,
        vault=resources.vault,
        oauth=calendly.oauth,
        clock=resources.clock,
        randomness=resources.randomness,
        redirect_uri=resources.public(CALLBACK_PATH),
        ttl=resources.settings.connect_ttl,
    )


def complete_connect(resources: Resources, calendly: Calendly) -> CompleteConnect:
    return CompleteConnect(
        storage=resources.storage,
        vault=resources.vault,
        clock=resources.clock,
        randomness=resources.randomness,
        connect_account=_connect_account(resources, calendly),
        confirms=resources.settings.connect_confirmation != CONFIRMATION_OFF,
    )


def confirm_connect(resources: Resources, calendly: Calendly) -> ConfirmConnect:
    return ConfirmConnect(
        storage=resources.storage,
        vault=resources.vault,
        clock=resources.clock,
        telemetry=resources.telemetry,
        connect_account=_connect_account(resources, calendly),
    )


def _connect_account(resources: Resources, calendly: Calendly) -> ConnectAccount:
    return ConnectAccount(
        vault=resources.vault,
        oauth=calendly.oauth,
        accounts=CalendlyAccountsGateway(calendly.api),
        circuit_breakers=calendly.circuit_breakers,
        jobs=resources.jobs,
        telemetry=resources.telemetry,
        store=StoreIntegration(
            storage=resources.storage,
            vault=resources.vault,
            oauth=calendly.oauth,
            jobs=resources.jobs,
            clock=resources.clock,
            randomness=resources.randomness,
        ),
        redirect_uri=resources.public(CALLBACK_PATH),
    )


def finish_disconnect(resources: Resources, calendly: Calendly) -> FinishDisconnect:
    return FinishDisconnect(
        storage=resources.storage,
        vault=resources.vault,
        revoke=_revoke_at_calendly(resources, calendly),
        final_refresh=_final_refresh(resources, calendly),
        clock=resources.clock,
        telemetry=resources.telemetry,
        owner=resources.owner,
        lease_ttl=resources.settings.refresh_lease,
        client_id=resources.settings.calendly_client_id,
    )


def _revoke_at_calendly(resources: Resources, calendly: Calendly) -> RevokeAtCalendly:
    return RevokeAtCalendly(
        oauth=calendly.oauth,
        subscriptions=CalendlySubscriptionsGateway(calendly.api),
        circuit_breakers=calendly.circuit_breakers,
        callback_base=resources.public(WEBHOOK_PATH),
    )


def _final_refresh(resources: Resources, calendly: Calendly) -> FinalRefresh:
    return FinalRefresh(
        storage=resources.storage,
        vault=resources.vault,
        oauth=calendly.oauth,
        circuit_breakers=calendly.circuit_breakers,
        clock=resources.clock,
        randomness=resources.randomness,
        lease_ttl=resources.settings.refresh_lease,
    )


def refresh_due_tokens(resources: Resources, calendly: Calendly) -> RefreshDueTokens:
    return RefreshDueTokens(
        storage=resources.storage,
        refresh=calendly.refresh_under_lease,
        recover=RecoverTokens(
            storage=resources.storage,
            vault=resources.vault,
            oauth=calendly.oauth,
            randomness=resources.randomness,
            telemetry=resources.telemetry,
        ),
        circuit_breakers=calendly.circuit_breakers,
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        owner=resources.owner,
        lease_ttl=resources.settings.refresh_lease,
        horizon=resources.settings.refresh_horizon,
        # A refresh mostly waits for Calendly; those that store at the same time share a connection.
        concurrency=2 * resources.settings.concurrency,
        per_second=resources.settings.refresh_rate,
        client_id=resources.settings.calendly_client_id,
    )
