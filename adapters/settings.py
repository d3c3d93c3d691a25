"""Everything that can be configured, read once from the environment.

Inert: loading connects to nothing. A field's line says its variable (the name in upper case), its
type, how it is read and its default. A fault stops the start, together with all others, in one
message that quotes no secret.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import msgspec

from adapters.variables.durations import format_duration
from adapters.variables.parsing import (
    address,
    duration,
    durations,
    http_url,
    one_of,
    origins,
    secure_url,
    text,
)
from adapters.variables.parsing import whole_number as number
from adapters.variables.reader import read
from adapters.variables.secret_parsing import key_ring, postgres_url, secret, secrets
from adapters.variables.variable import Fault, Variable
from domain.refusal import RefusalPolicy
from domain.retention import SHORTEST
from domain.secret import Secret

_MILLISECOND = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_LONGEST_TEXT = 255
CONFIRMATION_OFF = "off"


class SettingsError(Exception):
    """The environment is wrong; `faults` names each variable and its remedy."""

    def __init__(self, faults: list[Fault]) -> None:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = "".join(f"\n  - {fault}" for fault in faults)
        super().__init__(f"The settings have {count}; nothing was started.{lines}")
        self.faults = tuple(faults)


def _span(at_least: timedelta, at_most: timedelta) -> Variable:
    bounds = f"from {format_duration(at_least)} to {format_duration(at_most)}"
    remedy = f"Write a duration {bounds}, such as 90s, 15m, 24h or PT24H."
    return Variable(duration(at_least, at_most), remedy)


def _count(at_least: int, at_most: int) -> Variable:
    return Variable(number(at_least, at_most), f"Write a number from {at_least} to {at_most}.")


def _url(remedy: str) -> Variable:
    return Variable(http_url, remedy)


def _secure_url(remedy: str) -> Variable:
    return Variable(secure_url, remedy)


_DatabaseUrl = Annotated[
    Secret,
    Variable(
        postgres_url,
        "Set it to PostgreSQL's address: postgresql://user:password@host:5432/slotkeeper.",
        secret=True,
    ),
]
_EncryptionKeys = Annotated[
    Mapping[str, Secret],
    Variable(
        key_ring,
        'Write id:base64 pairs separated by commas, the first one seals: "k1:'
        '$(openssl rand -base64 32)"; keep earlier keys after it, or what they sealed is'
        " unreadable.",
        secret=True,
    ),
]


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a command that uses only the database."""

    database_url: _DatabaseUrl


class EncryptionSettings(DatabaseSettings, frozen=True, kw_only=True):
    """The settings of a command that uses only the database and its sealed values."""

    token_encryption_keys: _EncryptionKeys


class TemporalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a command that uses only Temporal.

    Temporal's own TLS and API-key variables are read by its SDK, not here.
    """

    temporal_address: Annotated[
        str, Variable(address, "Set it to Temporal's front end, such as temporal.internal:7233.")
    ] = "localhost:7233"
    temporal_namespace: Annotated[
        str, Variable(text(_LONGEST_TEXT), "Set it to the namespace that the service runs in.")
    ] = "default"


class Settings(TemporalSettings, frozen=True, kw_only=True):
    """Everything that the service itself needs, on the web and in the worker."""

    database_url: _DatabaseUrl
    calendly_client_id: Annotated[
        str, Variable(text(_LONGEST_TEXT), "Copy it from your app at developer.calendly.com.")
    ]
    calendly_client_secret: Annotated[
        Secret, Variable(secret(), "Copy it from your app at developer.calendly.com.", secret=True)
    ]
    calendly_webhook_signing_key: Annotated[
        tuple[Secret, ...],
        Variable(
            secrets,
            "Copy it from your app at developer.calendly.com; while it is being changed, write"
            " the current key first and the previous one after a comma.",
            secret=True,
        ),
    ]
    cron_secret: Annotated[
        Secret,
        Variable(
            secret(16, different=8),
            "Make one of 16 characters or more: openssl rand -hex 32",
            secret=True,
        ),
    ]
    token_encryption_keys: _EncryptionKeys
    public_url: Annotated[
        str, _secure_url("Set it to the address that Calendly and browsers reach this service at.")
    ]

    calendly_auth_url: Annotated[str, _secure_url("Leave it out for Calendly's own.")] = (
        "https://auth.calendly.com"
    )
    calendly_api_url: Annotated[str, _secure_url("Leave it out for Calendly's own.")] = (
        "https://api.calendly.com"
    )
    return_origins: Annotated[
        tuple[str, ...],
        Variable(
            origins,
            "List the origins, separated by commas, that a person may be sent back to after"
            " connecting: https://app.example.com,https://admin.example.com.",
        ),
    ] = ()
    demo_user: Annotated[
        str | None,
        Variable(text(_LONGEST_TEXT), "Set it to the user id that the page at / is for."),
    ] = None
    temporal_ui_url: Annotated[str | None, _url("Set it to the Temporal UI's address.")] = None
    sandbox_url: Annotated[str | None, _url("Set it to the sandbox Calendly's address.")] = None
    log_level: Annotated[
        str,
        Variable(one_of("debug", "info", "warning", "error"), "Leave it out for info."),
    ] = "info"
    log_format: Annotated[str, Variable(one_of("json", "console"), "Leave it out for json.")] = (
        "json"
    )

    cache_ttl: Annotated[timedelta, _span(_SECOND, 31 * _DAY)] = timedelta(hours=24)
    # Of slots and busy times. Webhooks invalidate what bookings change; only a refresh finds
    # changes in other calendars.
    cache_soft_ttl: Annotated[timedelta, _span(_SECOND, 31 * _DAY)] = timedelta(hours=6)
    # Of event types, which their own webhooks invalidate, and of schedules.
    cache_lists_soft_ttl: Annotated[timedelta, _span(_SECOND, 31 * _DAY)] = timedelta(hours=12)
    cache_stale_while_revalidate: Annotated[timedelta, _span(_SECOND, 31 * _DAY)] = timedelta(
        hours=24
    )
    # Percent by which an entry may turn stale and expire earlier, so that entries do not together.
    cache_jitter: Annotated[int, _count(0, 50)] = 10
    cache_keep_warm: Annotated[timedelta, _span(_SECOND, 366 * _DAY)] = timedelta(days=7)
    # Not below the 31 days that are always kept.
    availability_horizon: Annotated[timedelta, _span(31 * _DAY, 732 * _DAY)] = timedelta(days=180)
    refresh_horizon: Annotated[timedelta, _span(_SECOND, _DAY)] = timedelta(minutes=75)
    # Renewed when a token request leaves, it has to outlast that request, which ends within 30 s.
    refresh_lease: Annotated[timedelta, _span(45 * _SECOND, 60 * _MINUTE)] = timedelta(seconds=90)
    # How long after its start an exchange without outcome forbids another. New tokens that could
    # not be stored, because PostgreSQL was down, have to be stored within this.
    refresh_doubt: Annotated[timedelta, _span(_SECOND, _DAY)] = timedelta(minutes=10)
    # The waits after which a refused grant is asked again, before it is erased.
    refusal_retry: Annotated[
        tuple[timedelta, ...],
        Variable(
            durations(_SECOND, 31 * _DAY),
            "List durations from 1s to 31d, separated by commas: 15m,2h,24h.",
        ),
    ] = RefusalPolicy().ask_again_after
    # Token requests a second and worker that the job makes on average; 0: as many as it can.
    refresh_rate: Annotated[int, _count(0, 10_000)] = 500
    breaker_threshold: Annotated[int, _count(1, 1000)] = 5
    breaker_window: Annotated[timedelta, _span(_SECOND, _DAY)] = timedelta(minutes=2)
    breaker_reset: Annotated[timedelta, _span(_SECOND, _DAY)] = timedelta(seconds=60)
    breaker_longest: Annotated[timedelta, _span(_SECOND, _DAY)] = timedelta(minutes=5)
    retry_limit: Annotated[int, _count(1, 10)] = 3
    retry_base: Annotated[timedelta, _span(_MILLISECOND, _MINUTE)] = timedelta(milliseconds=200)
    retry_cap: Annotated[timedelta, _span(_MILLISECOND, 5 * _MINUTE)] = timedelta(seconds=5)
    retry_job_base: Annotated[timedelta, _span(_SECOND, 60 * _MINUTE)] = timedelta(seconds=2)
    retry_job_cap: Annotated[timedelta, _span(_SECOND, 60 * _MINUTE)] = timedelta(minutes=5)
    webhook_tolerance: Annotated[timedelta, _span(_SECOND, _DAY)] = timedelta(seconds=180)
    webhook_max_bytes: Annotated[int, _count(1024, 64 * 1024 * 1024)] = 1024 * 1024
    # How far from now comparisons of bookings look at start times: every six hours, and after
    # connecting or after a time in which webhooks were lost.
    reconcile_back: Annotated[timedelta, _span(_DAY, 366 * _DAY)] = timedelta(days=7)
    reconcile_ahead: Annotated[timedelta, _span(_DAY, 732 * _DAY)] = timedelta(days=60)
    backfill_back: Annotated[timedelta, _span(_DAY, 732 * _DAY)] = timedelta(days=30)
    backfill_ahead: Annotated[timedelta, _span(_DAY, 1096 * _DAY)] = timedelta(days=365)
    # Not below two days: Calendly repeats deliveries for one, and what was forgotten is new again.
    webhook_retention: Annotated[timedelta, _span(SHORTEST, 3650 * _DAY)] = timedelta(days=30)
    dead_letter_retention: Annotated[timedelta, _span(SHORTEST, 3650 * _DAY)] = timedelta(days=90)
    # Not below the 30 days in which the table refuses every deletion.
    audit_retention: Annotated[timedelta, _span(31 * _DAY, 3650 * _DAY)] = timedelta(days=400)
    # `off` gives the calendar behind a passed-on link to its sender; doctor reports it.
    connect_confirmation: Annotated[
        str,
        Variable(
            one_of("required", CONFIRMATION_OFF),
            "Leave it out for required; off is for an application that does not confirm yet.",
        ),
    ] = "required"
    application_name: Annotated[
        str | None,
        Variable(text(_LONGEST_TEXT), "Set it to the name that your users know your product by."),
    ] = None
    connect_ttl: Annotated[timedelta, _span(10 * _SECOND, _DAY)] = timedelta(minutes=10)
    # Requests a second of one API key, and of one of its users, in one process; 0: no limit.
    rate_per_key: Annotated[int, _count(0, 1_000_000)] = 1000
    rate_per_user: Annotated[int, _count(0, 1_000_000)] = 100
    # Refused keys and cron secrets a minute of one address, in one process; 0: no limit.
    rate_refused: Annotated[int, _count(0, 1_000_000)] = 60
    page_size: Annotated[int, _count(1, 1000)] = 100
    concurrency: Annotated[int, _count(1, 256)] = 16

    @property
    def is_https(self) -> bool:
        """Whether browsers and Calendly reach the service by https."""
        return self.public_url.startswith("https://")


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of a whole process.

    Raises:
        SettingsError: names every fault.

    """
    values, faults = read(Settings, environ)
    faults += _contradictions(values)
    if faults:
        raise SettingsError(faults)
    return Settings(**values)


def load_database_url(environ: Mapping[str, str]) -> Secret:
    """Return the database's address, for a command that uses only the database.

    Raises:
        SettingsError: DATABASE_URL is missing or malformed.

    """
    values, faults = read(DatabaseSettings, environ)
    if faults:
        raise SettingsError(faults)
    return DatabaseSettings(**values).database_url


def load_encryption_settings(environ: Mapping[str, str]) -> EncryptionSettings:
    """Return the settings of a command that uses only the database and its sealed values.

    Raises:
        SettingsError: DATABASE_URL or TOKEN_ENCRYPTION_KEYS is missing or malformed.

    """
    values, faults = read(EncryptionSettings, environ)
    if faults:
        raise SettingsError(faults)
    return EncryptionSettings(**values)


def load_temporal_settings(environ: Mapping[str, str]) -> TemporalSettings:
    """Return the settings of a command that uses only Temporal.

    Raises:
        SettingsError: TEMPORAL_ADDRESS or TEMPORAL_NAMESPACE is malformed.

    """
    values, faults = read(TemporalSettings, environ)
    if faults:
        raise SettingsError(faults)
    return TemporalSettings(**values)


_NOT_LONGER = (
    ("cache_soft_ttl", "cache_ttl"),
    ("cache_lists_soft_ttl", "cache_ttl"),
    ("retry_base", "retry_cap"),
    ("retry_job_base", "retry_job_cap"),
    ("reconcile_back", "backfill_back"),
    ("reconcile_ahead", "backfill_ahead"),
)


def _contradictions(values: Mapping[str, Any]) -> list[Fault]:
    """Return the contradictions between variables that are valid by themselves."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    effective = {**defaults, **values}
    return [
        Fault(
            short.upper(),
            f"is {format_duration(effective[short])}, longer than {long.upper()}"
            f" ({format_duration(effective[long])})",
            "Make it shorter, or the other longer.",
        )
        for short, long in _NOT_LONGER
        if effective[short] > effective[long]
    ]
