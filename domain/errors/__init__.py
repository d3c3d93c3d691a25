"""Every error that the service raises on purpose.

Each class has a stable `code` for programs and a `kind`, which says whether to retry. The message
names the thing and the remedy for people and never holds a secret. Each edge maps
the kind once: the web edge to an HTTP status, the workflow edge to a retry.

    SlotkeeperError
    ├── InvalidInput                permanent     the caller's request is at fault
    │   ├── InvalidRange
    │   ├── InvalidCursor
    │   ├── InvalidTimezone
    │   ├── ConnectStateInvalid
    │   ├── ConnectHandleInvalid
    │   ├── ConnectUnconfirmable
    │   ├── MalformedWebhook
    │   ├── PayloadTooLarge
    │   └── IdempotencyKeyMissing
    ├── RateLimited                 throttled     more requests than one caller may send
    ├── Unauthenticated             permanent
    │   ├── ApiKeyInvalid
    │   ├── CronSecretInvalid
    │   └── SignatureRejected
    ├── CallerForbidden             permanent     known, and not allowed
    │   ├── KeyScopeMissing
    │   └── KeyNetworkRefused
    ├── NotFound                    permanent
    │   ├── IntegrationNotFound
    │   ├── EventTypeNotFound
    │   ├── BookingNotFound
    │   ├── SubscriptionNotFound
    │   └── WebhookEventNotFound
    ├── Conflict                    permanent
    │   ├── IdempotencyKeyReused
    │   ├── CommandInProgress       transient     its lease is not over
    │   ├── AccountMismatch
    │   ├── DisconnectInProgress
    │   └── BookingNotOpen
    ├── ConsentDenied               needs person
    ├── ScopesDeclined              needs person
    ├── ReauthRequired              needs person
    ├── SealedValueUnreadable       needs person
    │   ├── EncryptionKeyUnknown    needs person  the key is not in the ring
    │   └── SealedValueCorrupt      needs person  changed, or moved from another row
    ├── RefreshInProgress           transient     another process holds the lease
    ├── AvailabilityPending         transient     nothing cached yet and the fetch is not done
    ├── CircuitOpen                 transient     refused here, nothing was sent
    ├── StorageUnavailable          transient     PostgreSQL
    │   └── StorageContended        transient     it is well; another transaction is in the way
    ├── JobsUnavailable             transient     Temporal
    └── CalendlyError
        ├── CalendlyUnavailable     transient     nothing was processed
        ├── CalendlyUncertain       transient     the request may have been processed
        ├── CalendlyThrottled       throttled
        ├── CalendlyProtocolError   transient     an answer that cannot be read
        │   └── CalendlyAnswerTooLarge  transient  more than this service reads
        ├── AccessTokenRejected     transient     401: refresh once, repeat once
        ├── GrantRefused            needs person  invalid_grant
        ├── ClientRefused           needs person  our client id or secret is wrong
        ├── ScopeMissing            needs person  403 with required_scopes
        ├── CalendlyForbidden       permanent     any other 403
        ├── CalendlyRejected        permanent     400, 422: the request is at fault
        ├── CalendlyNotFound        permanent
        ├── CalendlyConflict        permanent     409
        ├── CalendarBroken          needs person  424: the host's calendar connection
        └── SlotTaken               permanent
"""

from domain.errors.calendly import (
    AccessTokenRejected,
    CalendarBroken,
    CalendlyAnswerTooLarge,
    CalendlyConflict,
    CalendlyError,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyRejected,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    ClientRefused,
    GrantRefused,
    ScopeMissing,
    SlotTaken,
)
from domain.errors.requests import (
    AccountMismatch,
    ApiKeyInvalid,
    BookingNotFound,
    BookingNotOpen,
    CallerForbidden,
    CommandInProgress,
    Conflict,
    ConnectHandleInvalid,
    ConnectStateInvalid,
    ConnectUnconfirmable,
    CronSecretInvalid,
    DisconnectInProgress,
    EventTypeNotFound,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    IntegrationNotFound,
    InvalidCursor,
    InvalidInput,
    InvalidRange,
    InvalidTimezone,
    KeyNetworkRefused,
    KeyScopeMissing,
    MalformedWebhook,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    SignatureRejected,
    SubscriptionNotFound,
    Unauthenticated,
    WebhookEventNotFound,
)
from domain.errors.root import Kind, SlotkeeperError
from domain.errors.standing import (
    AvailabilityPending,
    CircuitOpen,
    ConsentDenied,
    EncryptionKeyUnknown,
    JobsUnavailable,
    ReauthRequired,
    RefreshInProgress,
    ScopesDeclined,
    SealedValueCorrupt,
    SealedValueUnreadable,
    StorageContended,
    StorageUnavailable,
)
