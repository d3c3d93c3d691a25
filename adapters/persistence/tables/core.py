"""The tables. Never imported from outside persistence, never the carrier of a rule's only copy.

A change here needs a migration (`piccolo migrations new slotkeeper --auto`); a test compares the
two. Indexes and identity columns live in migrations alone: Piccolo cannot say them.
"""

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    OnDelete,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from adapters.persistence.engine import ENGINE


class AppUser(Table, tablename="app_user", db=ENGINE):
    """The team's users, under the team's own ids."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    external_id = Varchar(length=255, unique=True)
    created_at = Timestamptz()
    app_user_external_id_present = Check("external_id <> ''")


class ApiKey(Table, tablename="api_key", db=ENGINE):
    """Keys of the team's programs: SHA-256 hashes only."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    name = Text()
    prefix = Text()
    key_hash = Bytea(unique=True)
    created_at = Timestamptz()
    revoked_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    last_used_at = Timestamptz(null=True, default=None)
    created_by = Text(null=True, default=None)
    # Separated by commas. NULL: a key that was made before keys had scopes, and has all.
    scopes = Text(null=True, default=None)
    networks = Text(null=True, default=None)
    api_key_hash_is_sha256 = Check("octet_length(key_hash) = 32")


class CalendlyConnectAttempt(Table, tablename="calendly_connect_attempt", db=ENGINE):
    """Connect flows, under way, held and completed, by the hash of their state."""

    id = BigSerial(primary_key=True)
    user_id = ForeignKey(AppUser, on_delete=OnDelete.cascade, null=False, index=True)
    state_hash = Bytea(unique=True)
    verifier_sealed = Text()
    browser_hash = Bytea(null=True, default=None)
    return_to = Text(null=True, default=None)
    replaces = Boolean(default=False)
    expires_at = Timestamptz(index=True)
    connected_id = UUID(null=True, default=None)
    connected_until = Timestamptz(null=True, default=None)
    # The code of a flow that waits for its confirmation. The handle of a confirmed one stays.
    code_sealed = Text(null=True, default=None)
    handle_hash = Bytea(null=True, default=None)
    held_until = Timestamptz(null=True, default=None)
    calendly_connect_attempt_hashes_are_sha256 = Check(
        "octet_length(state_hash) = 32"
        " AND (browser_hash IS NULL OR octet_length(browser_hash) = 32)"
    )
    calendly_connect_attempt_held_is_whole = Check(
        "(code_sealed IS NULL OR (handle_hash IS NOT NULL AND held_until IS NOT NULL))"
        " AND (handle_hash IS NULL OR octet_length(handle_hash) = 32)"
    )


class CalendlyIntegration(Table, tablename="calendly_integration", db=ENGINE):
    """One user's link to Calendly, with its leases: one row a user that is not leaving."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    user_id = ForeignKey(AppUser, on_delete=OnDelete.cascade, null=False, index=True)
    status = Text()
    account_uri = Text()
    organization_uri = Text()
    account_name = Text()
    account_email = Text()
    account_timezone = Text()
    scheduling_url = Text()
    scopes = Array(base_column=Text())
    connected_at = Timestamptz()

    access_token_sealed = Text(null=True, default=None)
    refresh_token_sealed = Text(null=True, default=None)
    token_expires_at = Timestamptz(null=True, default=None)
    token_version = BigInt(null=True, default=None)
    refused_version = BigInt(null=True, default=None)
    client_id = Text(null=True, default=None)
    refused_at = Timestamptz(null=True, default=None)
    refusals = BigInt(null=True, default=None)
    exchange_unanswered = Boolean(null=True, default=None)
    error_since = Timestamptz(null=True, default=None)
    scopes_missing_since = Timestamptz(null=True, default=None)
    exchange_started_at = Timestamptz(null=True, default=None)
    last_refreshed_at = Timestamptz(null=True, default=None)
    last_error_code = Text(null=True, default=None)
    attention_cause = Text(null=True, default=None)
    attention_since = Timestamptz(null=True, default=None)
    recovered_from = Text(null=True, default=None)
    recovered_at = Timestamptz(null=True, default=None)

    breaker_state = Text(default="closed")
    failed_refresh_count = Integer(default=0)
    breaker_opened_at = Timestamptz(null=True, default=None)
    breaker_trips = Integer(default=0)
    breaker_probe_until = Timestamptz(null=True, default=None)
    breaker_failed_at = Array(base_column=Timestamptz(), default=list)
    breaker_open_until = Timestamptz(null=True, default=None)

    refresh_lease_owner = Text(null=True, default=None)
    refresh_lease_until = Timestamptz(null=True, default=None)
    refresh_fence = BigInt(default=0)
    next_refresh_at = Timestamptz(null=True, default=None)
    token_requests_since = Timestamptz(null=True, default=None)
    token_requests = Integer(default=0)
    calls_paused_until = Timestamptz(null=True, default=None)

    sync_due_at = Timestamptz()
    sync_lease_owner = Text(null=True, default=None)
    sync_lease_until = Timestamptz(null=True, default=None)
    last_synced_at = Timestamptz(null=True, default=None)
    availability_invalidated_at = Timestamptz(null=True, default=None)
    availability_invalidated_by = Text(null=True, default=None)
    event_types_invalidated_at = Timestamptz(null=True, default=None)
    event_types_invalidated_by = Text(null=True, default=None)
    availability_version = BigInt(default=0)
    availability_read_at = Timestamptz(null=True, default=None)

    subscription_key = Text(null=True, default=None, unique=True)
    subscription_uri = Text(null=True, default=None)
    subscription_state = Text(null=True, default=None)
    subscription_healthy_at = Timestamptz(null=True, default=None)
    subscribed_since = Timestamptz(null=True, default=None)
    gap_since = Timestamptz(null=True, default=None)
    gap_until = Timestamptz(null=True, default=None)
    reconciled_at = Timestamptz(null=True, default=None)
    reconcile_from = Timestamptz(null=True, default=None)
    reconcile_error = Text(null=True, default=None)
    repaired_count = BigInt(null=True, default=None)
    last_repaired_at = Timestamptz(null=True, default=None)

    calendly_integration_status_known = Check(
        "status IN ('active', 'reauth_required', 'disconnecting')"
    )
    calendly_integration_tokens_whole = Check(
        "num_nulls(access_token_sealed, refresh_token_sealed, token_expires_at, token_version)"
        " IN (0, 4)"
    )
    calendly_integration_active_has_tokens = Check(
        "status <> 'active' OR token_version IS NOT NULL"
    )
    calendly_integration_token_version_positive = Check("token_version >= 0")
    calendly_integration_attention_whole = Check(
        "(attention_cause IS NULL) = (attention_since IS NULL)"
    )
    calendly_integration_recovery_whole = Check(
        "(recovered_from IS NULL) = (recovered_at IS NULL)"
    )
    calendly_integration_token_requests_counted = Check("token_requests >= 0")
    calendly_integration_gap_whole = Check("(gap_since IS NULL) = (gap_until IS NULL)")
    calendly_integration_repairs_counted = Check(
        "repaired_count > 0 AND (repaired_count IS NULL) = (last_repaired_at IS NULL)"
    )
    calendly_integration_breaker_sound = Check(
        "breaker_state IN ('closed', 'open', 'half_open') AND failed_refresh_count >= 0"
        " AND breaker_trips >= 0"
        " AND (breaker_state = 'closed' OR breaker_opened_at IS NOT NULL)"
    )
    calendly_integration_refresh_lease_whole = Check(
        "refresh_fence >= 0 AND (refresh_lease_owner IS NULL) = (refresh_lease_until IS NULL)"
    )
    calendly_integration_sync_lease_whole = Check(
        "(sync_lease_owner IS NULL) = (sync_lease_until IS NULL)"
    )
    calendly_integration_subscription_named = Check(
        "subscription_key IS NOT NULL OR (subscription_uri IS NULL AND subscription_state IS NULL)"
    )
    calendly_integration_invalidation_whole = Check(
        "(availability_invalidated_at IS NULL) = (availability_invalidated_by IS NULL)"
    )
    calendly_integration_event_types_invalidation_whole = Check(
        "(event_types_invalidated_at IS NULL) = (event_types_invalidated_by IS NULL)"
    )
    calendly_integration_availability_version_counted = Check("availability_version >= 0")


class CalendlyAvailabilityCache(Table, tablename="calendly_availability_cache", db=ENGINE):
    """Cached availability, one entry a row; its invalidation is stored on the integration."""

    id = BigSerial(primary_key=True)
    user_id = ForeignKey(AppUser, on_delete=OnDelete.cascade, null=False)
    integration_id = ForeignKey(
        CalendlyIntegration, on_delete=OnDelete.cascade, null=False, index=True
    )
    part = Text()
    key = Text()
    content = Bytea()
    fetched_at = Timestamptz()
    covers_from = Timestamptz(null=True, default=None)
    covers_until = Timestamptz(null=True, default=None)
    error_code = Text(null=True, default=None)
    etag = Text(null=True, default=None)
    read_at = Timestamptz(null=True, default=None)
    retry_at = Timestamptz(null=True, default=None)
    skipped = Integer(null=True, default=None)
    calendly_availability_cache_one_row_a_part = Unique([user_id, part, key])
    calendly_availability_cache_part_known = Check(
        "part IN ('event_types', 'slots', 'busy', 'schedules')"
    )
    calendly_availability_cache_span_whole = Check(
        "(covers_from IS NULL) = (covers_until IS NULL) AND covers_from <= covers_until"
    )
    calendly_availability_cache_retry_explained = Check(
        "retry_at IS NULL OR error_code IS NOT NULL"
    )


class CalendlyWebhookEvent(Table, tablename="calendly_webhook_event", db=ENGINE):
    """The inbox: stays when its user or integration goes."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    dedupe_key = Text(unique=True)
    kind = Text()
    body_sealed = Text()
    received_at = Timestamptz()
    occurred_at = Timestamptz()
    integration_id = ForeignKey(
        CalendlyIntegration, on_delete=OnDelete.set_null, null=True, default=None, index=True
    )
    user_id = ForeignKey(AppUser, on_delete=OnDelete.set_null, null=True, default=None)
    status = Text(default="pending")
    attempts = Integer(default=0)
    next_attempt_at = Timestamptz()
    settled_at = Timestamptz(null=True, default=None)
    reason = Text(null=True, default=None)
    calendly_webhook_event_status_known = Check(
        "status IN ('pending', 'applied', 'ignored', 'dead_lettered')"
    )
    calendly_webhook_event_settled_when_done = Check(
        "(settled_at IS NOT NULL) = (status IN ('applied', 'ignored'))"
    )
    calendly_webhook_event_attempts_counted = Check("attempts >= 0")
    calendly_webhook_event_reason_given = Check(
        "reason IS NOT NULL OR status IN ('pending', 'applied')"
    )


class CalendlyCircuitBreaker(Table, tablename="calendly_circuit_breaker", db=ENGINE):
    """The breakers that all processes share, one a surface of Calendly."""

    id = BigSerial(primary_key=True)
    surface = Text(unique=True)
    state = Text(default="closed")
    failures = Integer(default=0)
    opened_at = Timestamptz(null=True, default=None)
    trips = Integer(default=0)
    probe_until = Timestamptz(null=True, default=None)
    failed_at = Array(base_column=Timestamptz(), default=list)
    open_until = Timestamptz(null=True, default=None)
    failed_by = Array(base_column=Text(), null=True, default=None)
    calendly_circuit_breaker_sound = Check(
        "state IN ('closed', 'open', 'half_open') AND failures >= 0 AND trips >= 0"
        " AND (state = 'closed' OR opened_at IS NOT NULL)"
    )
