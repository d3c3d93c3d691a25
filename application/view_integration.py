"""Show a user's integration: what is healthy, what is not and what to do about it."""

from datetime import datetime

import msgspec

from application.ports.clock import Clock
from application.ports.unit_of_work import Storage
from domain.circuit_breaker import BreakerPolicy, BreakerState, seen_at, wait
from domain.errors import IntegrationNotFound, SealedValueUnreadable
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Cause, Integration, Status
from domain.token import missing_scopes


class BreakerView(msgspec.Struct, frozen=True):
    """The refresh breaker; `retry_at` (UTC) is when an open one lets a probe out."""

    state: BreakerState
    failures: int
    retry_at: datetime | None


class ActionRequired(msgspec.Struct, frozen=True):
    """What a person has to do, and since when (UTC)."""

    code: str
    since: datetime | None
    remedy: str
    connect_path: str | None


class IntegrationView(msgspec.Struct, frozen=True):
    """An integration as its user may see it: never a token."""

    id: IntegrationId
    status: Status
    account: Account
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]
    connected_at: datetime
    token_expires_at: datetime | None
    last_refreshed_at: datetime | None
    last_synced_at: datetime | None
    reconciled_at: datetime | None
    last_error_code: str | None
    breaker: BreakerView
    webhook_state: str | None
    action_required: ActionRequired | None


CONNECT_PATH = "/api/calendly/connect"
REMEDIES = {
    Cause.GRANT_REFUSED: "Calendly withdrew the access; the user has to connect again.",
    Cause.REFRESH_OUTCOME_LOST: (
        "Calendly's answer to a token refresh was lost on the way, which ends the access; "
        "the user has to connect again."
    ),
    Cause.OWNER_CHANGED: ("Calendly answered for another account; the user has to connect again."),
}


class ViewIntegration:
    """Reads one user's integration."""

    def __init__(self, *, storage: Storage, clock: Clock, breaker_policy: BreakerPolicy) -> None:
        self._storage = storage
        self._clock = clock
        self._policy = breaker_policy

    async def __call__(self, user_id: UserId) -> IntegrationView:
        """Return the view. Raises IntegrationNotFound."""
        async with self._storage() as uow:
            integration = await uow.integrations.for_user(user_id)
        if integration is None:
            raise IntegrationNotFound(f"No Calendly account is connected; see {CONNECT_PATH}.")
        return IntegrationView(
            id=integration.id,
            status=integration.status,
            account=integration.account,
            scopes=integration.scopes,
            missing_scopes=missing_scopes(integration.scopes),
            connected_at=integration.connected_at,
            token_expires_at=integration.tokens.expires_at if integration.tokens else None,
            last_refreshed_at=integration.last_refreshed_at,
            last_synced_at=integration.last_synced_at,
            reconciled_at=integration.reconciled_at,
            last_error_code=integration.last_error_code,
            breaker=self._breaker(integration),
            webhook_state=integration.subscription.state if integration.subscription else None,
            action_required=_action(integration),
        )

    def _breaker(self, integration: Integration) -> BreakerView:
        now = self._clock.now()
        left = wait(integration.breaker, now, self._policy)
        return BreakerView(
            state=seen_at(integration.breaker, now, self._policy),
            failures=integration.breaker.failures,
            retry_at=now + left if left else None,
        )


def _action(integration: Integration) -> ActionRequired | None:
    if integration.attention is not None:
        cause = integration.attention.cause
        return ActionRequired(cause, integration.attention.since, REMEDIES[cause], CONNECT_PATH)
    if integration.last_error_code == SealedValueUnreadable.code:
        remedy = (
            "The stored tokens cannot be opened; an operator has to restore the missing key "
            "in TOKEN_ENCRYPTION_KEYS."
        )
        return ActionRequired(SealedValueUnreadable.code, None, remedy, None)
    return None
