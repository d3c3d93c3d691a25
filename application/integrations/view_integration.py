"""Show a user's integration: what is healthy, what is not and what to do about it."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from application.ports.clock import Clock
from application.ports.storage.unit_of_work import Storage
from domain.circuit_breaker import BreakerPolicy, BreakerView, view_of
from domain.errors import (
    EncryptionKeyUnknown,
    IntegrationNotFound,
    SealedValueCorrupt,
    SealedValueUnreadable,
)
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Cause, Integration, Recovery, Status
from domain.token import missing_scopes


class ActionRequired(msgspec.Struct, frozen=True):
    """The action that a person has to take, and since when (UTC).

    Args:
        code: why: the cause of `reauth_required`, or what else is amiss.
        connect_path: where the user connects again, when that is the remedy.
        connect_url: the same as the outside reaches it.

    """

    code: str
    since: datetime | None
    remedy: str
    connect_path: str | None
    connect_url: str | None = None


class IntegrationView(msgspec.Struct, frozen=True):
    """An integration as its user may see it: never a token.

    Args:
        recovered: what it last came back from and when (UTC), if it ever needed a person.
        shared_account: whether another user is connected to the same Calendly account.
        webhooks_missing_since: since when webhooks may be missing that no comparison has made up
            for yet (UTC).
        repaired_count: bookings that reconciliation corrected so far, because a webhook was lost.
        last_repaired_at: when the last of them was put right (UTC).
        reconcile_error: why the latest comparison did not end, or what it passed over, as a code.

    """

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
    recovered: Recovery | None = None
    shared_account: bool = False
    webhooks_missing_since: datetime | None = None
    repaired_count: int = 0
    last_repaired_at: datetime | None = None
    reconcile_error: str | None = None


CONNECT_PATH = "/api/calendly/connect"
REMEDIES = {
    Cause.GRANT_REFUSED: "Calendly withdrew the access; the user has to connect again.",
    Cause.REFRESH_OUTCOME_LOST: (
        "Calendly's answer to a token refresh was lost on the way, which ends the access; "
        "the user has to connect again."
    ),
    Cause.OWNER_CHANGED: ("Calendly answered for another account; the user has to connect again."),
}
# Connecting again replaces what cannot be opened; only a missing key is better put back.
QUARANTINES: Mapping[str, tuple[str, str | None]] = {
    SealedValueUnreadable.code: (
        "The stored tokens cannot be opened; an operator has to look at TOKEN_ENCRYPTION_KEYS.",
        None,
    ),
    EncryptionKeyUnknown.code: (
        (
            "The key that sealed the stored tokens is missing; an operator has to put it back "
            "into TOKEN_ENCRYPTION_KEYS. The account then recovers within an hour."
        ),
        None,
    ),
    SealedValueCorrupt.code: (
        (
            "The stored tokens are corrupt; an operator can restore them from a backup, or the "
            "user connects again."
        ),
        CONNECT_PATH,
    ),
}
SCOPES_MISSING = "scopes_missing"
SCOPES_REMEDY = (
    "Calendly grants less than is needed, see missing_scopes; what is granted goes on working. "
    "The user has to connect again and allow the rest."
)


class ViewIntegration:
    def __init__(
        self, *, storage: Storage, clock: Clock, breaker_policy: BreakerPolicy, public_url: str
    ) -> None:
        self._storage = storage
        self._public_url = public_url.rstrip("/")
        self._clock = clock
        self._policy = breaker_policy

    async def __call__(self, user_id: UserId) -> IntegrationView:
        """Return the view. Raises IntegrationNotFound."""
        async with self._storage() as uow:
            integration = await uow.integrations.for_user(user_id)
            if integration is None:
                raise IntegrationNotFound(f"No Calendly account is connected; see {CONNECT_PATH}.")
            namesakes = await uow.integrations.by_accounts([integration.account.user_uri])
        return IntegrationView(
            id=integration.id,
            status=integration.status,
            account=integration.account,
            scopes=integration.scopes,
            missing_scopes=missing_scopes(integration.scopes),
            connected_at=integration.connected_at,
            token_expires_at=_expires_at(integration),
            last_refreshed_at=integration.last_refreshed_at,
            last_synced_at=integration.last_synced_at,
            reconciled_at=integration.reconciled_at,
            last_error_code=integration.last_error_code,
            breaker=view_of(integration.breaker, self._clock.now(), self._policy),
            webhook_state=integration.subscription.state if integration.subscription else None,
            action_required=self._with_url(_action(integration)),
            recovered=integration.recovery,
            shared_account=any(_shares(integration, each) for each in namesakes),
            webhooks_missing_since=integration.gap.since if integration.gap else None,
            repaired_count=integration.repaired_count,
            last_repaired_at=integration.last_repaired_at,
            reconcile_error=integration.reconcile_error,
        )

    def _with_url(self, action: ActionRequired | None) -> ActionRequired | None:
        if action is None or action.connect_path is None:
            return action
        return msgspec.structs.replace(
            action, connect_url=f"{self._public_url}{action.connect_path}"
        )


def _expires_at(integration: Integration) -> datetime | None:
    """Return when the token dies; a refused one serves no call, though it is kept."""
    if integration.tokens is None or integration.status is Status.REAUTH_REQUIRED:
        return None
    return integration.tokens.expires_at


def _shares(integration: Integration, other: Integration) -> bool:
    return other.user_id != integration.user_id and other.status is not Status.DISCONNECTING


def _error_since(integration: Integration) -> datetime:
    return integration.error_since or _last_good(integration)


def _last_good(integration: Integration) -> datetime:
    """Return the earliest time of a cause that an earlier version stored without its time."""
    return integration.last_refreshed_at or integration.connected_at


def _action(integration: Integration) -> ActionRequired | None:
    if integration.attention is not None:
        cause = integration.attention.cause
        return ActionRequired(cause, integration.attention.since, REMEDIES[cause], CONNECT_PATH)
    code = integration.last_error_code
    if code is not None and code in QUARANTINES:
        remedy, connect_path = QUARANTINES[code]
        return ActionRequired(code, _error_since(integration), remedy, connect_path)
    if integration.status is Status.ACTIVE and missing_scopes(integration.scopes):
        since = integration.scopes_missing_since or _last_good(integration)
        return ActionRequired(SCOPES_MISSING, since, SCOPES_REMEDY, CONNECT_PATH)
    return None
