"""A row of calendly_integration, with its user's public id, as an Integration."""

from typing import Any

from domain.circuit_breaker import Breaker, BreakerState
from domain.ids import IntegrationId, UserId
from domain.integration import (
    Account,
    Attention,
    Cause,
    Gap,
    Integration,
    Lease,
    Recovery,
    Status,
    Subscription,
)
from domain.token import SealedTokens

# Every statement that returns integrations reads `i` with its user `u`.
COLUMNS = "i.*, u.public_id AS user_public_id"


def to_integration(row: Any) -> Integration:
    return Integration(
        id=IntegrationId(row["public_id"]),
        user_id=UserId(row["user_public_id"]),
        status=Status(row["status"]),
        account=_account(row),
        scopes=tuple(row["scopes"]),
        connected_at=row["connected_at"],
        tokens=_tokens(row),
        breaker=_breaker(row),
        subscription=_subscription(row),
        attention=_attention(row),
        exchange_started_at=row["exchange_started_at"],
        last_refreshed_at=row["last_refreshed_at"],
        last_synced_at=row["last_synced_at"],
        last_error_code=row["last_error_code"],
        reconciled_at=row["reconciled_at"],
        recovery=_recovery(row),
        calls_paused_until=row["calls_paused_until"],
        gap=_gap(row),
        repaired_count=row["repaired_count"] or 0,
        last_repaired_at=row["last_repaired_at"],
        subscribed_since=row["subscribed_since"],
        reconcile_from=row["reconcile_from"],
        reconcile_error=row["reconcile_error"],
        client_id=row["client_id"],
        refused_at=row["refused_at"],
        refusals=row["refusals"] or 0,
        exchange_unanswered=bool(row["exchange_unanswered"]),
        error_since=row["error_since"],
        scopes_missing_since=row["scopes_missing_since"],
    )


def to_leased(row: Any) -> tuple[Integration, Lease]:
    lease = Lease(
        owner=row["refresh_lease_owner"],
        fence=row["refresh_fence"],
        expires_at=row["refresh_lease_until"],
    )
    return to_integration(row), lease


def token_values(tokens: SealedTokens | None) -> tuple[object, ...]:
    """Return (access, refresh, expires_at, version), all None without tokens."""
    if tokens is None:
        return (None, None, None, None)
    return (tokens.access, tokens.refresh, tokens.expires_at, tokens.version)


def breaker_values(breaker: Breaker) -> tuple[object, ...]:
    """Return (state, failures, opened_at, trips, probe_until, failed_at, open_until)."""
    return (
        str(breaker.state),
        breaker.failures,
        breaker.opened_at,
        breaker.trips,
        breaker.probe_until,
        list(breaker.failed_at),
        breaker.open_until,
    )


def attention_values(attention: Attention | None) -> tuple[object, ...]:
    return (None, None) if attention is None else (str(attention.cause), attention.since)


def recovery_values(recovery: Recovery | None) -> tuple[object, ...]:
    """Return (from, at)."""
    return (None, None) if recovery is None else (str(recovery.cause), recovery.at)


def subscription_values(subscription: Subscription | None) -> tuple[object, ...]:
    """Return (key, uri, state, healthy_at)."""
    if subscription is None:
        return (None, None, None, None)
    return (subscription.key, subscription.uri, subscription.state, subscription.healthy_at)


def _account(row: Any) -> Account:
    return Account(
        user_uri=row["account_uri"],
        organization_uri=row["organization_uri"],
        name=row["account_name"],
        email=row["account_email"],
        timezone=row["account_timezone"],
        scheduling_url=row["scheduling_url"],
    )


def _tokens(row: Any) -> SealedTokens | None:
    if row["token_version"] is None:
        return None
    return SealedTokens(
        access=row["access_token_sealed"],
        refresh=row["refresh_token_sealed"],
        expires_at=row["token_expires_at"],
        version=row["token_version"],
    )


def _breaker(row: Any) -> Breaker:
    return Breaker(
        state=BreakerState(row["breaker_state"]),
        failures=row["failed_refresh_count"],
        opened_at=row["breaker_opened_at"],
        trips=row["breaker_trips"],
        probe_until=row["breaker_probe_until"],
        failed_at=tuple(row["breaker_failed_at"]),
        open_until=row["breaker_open_until"],
    )


def _subscription(row: Any) -> Subscription | None:
    if row["subscription_key"] is None:
        return None
    return Subscription(
        key=row["subscription_key"],
        uri=row["subscription_uri"],
        state=row["subscription_state"],
        healthy_at=row["subscription_healthy_at"],
    )


def _gap(row: Any) -> Gap | None:
    if row["gap_since"] is None:
        return None
    return Gap(since=row["gap_since"], until=row["gap_until"])


def _attention(row: Any) -> Attention | None:
    if row["attention_cause"] is None:
        return None
    return Attention(cause=Cause(row["attention_cause"]), since=row["attention_since"])


def _recovery(row: Any) -> Recovery | None:
    if row["recovered_from"] is None:
        return None
    return Recovery(cause=Cause(row["recovered_from"]), at=row["recovered_at"])
