"""One user's link to Calendly, never with its tokens."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta


class Account(msgspec.Struct, frozen=True):
    """The Calendly account."""

    user_uri: str
    organization_uri: str
    name: str
    email: str
    timezone: str
    scheduling_url: str


class Breaker(msgspec.Struct, frozen=True):
    """The circuit breaker of this connection's token refresh."""

    state: Literal["closed", "open", "half_open"]
    failures: Annotated[int, Meta(description="Consecutive failures.")]
    retry_at: Annotated[
        datetime | None, Meta(description="When an open breaker lets a probe out (UTC).")
    ]
    opened_at: Annotated[
        datetime | None, Meta(description="When it opened (UTC); null while it is closed.")
    ]


class ActionRequired(msgspec.Struct, frozen=True):
    """The action that a person has to take before this connection works again."""

    code: str
    since: datetime | None
    remedy: str
    connect_path: Annotated[
        str | None, Meta(description="Where the user connects again, if that is the remedy.")
    ]
    connect_url: Annotated[
        str | None,
        Meta(
            description=(
                "The same as a whole address below `PUBLIC_URL`: call it as this user, and send "
                "their browser where it says."
            )
        ),
    ]


class Recovered(msgspec.Struct, frozen=True):
    """That the connection had been lost and came back."""

    cause: Annotated[
        str, Meta(description="The cause of `reauth_required` that had needed a person.")
    ] = msgspec.field(name="from")
    at: Annotated[datetime, Meta(description="When (UTC).")]


class Integration(msgspec.Struct, frozen=True):
    """The state of the connection."""

    id: UUID
    status: Literal["active", "reauth_required", "disconnecting"]
    account: Account
    scopes: tuple[str, ...]
    missing_scopes: Annotated[
        tuple[str, ...], Meta(description="Scopes this service wants and was not granted.")
    ]
    connected_at: datetime
    token_expires_at: datetime | None
    last_refreshed_at: datetime | None
    last_synced_at: datetime | None
    reconciled_at: datetime | None
    last_error_code: str | None
    breaker: Breaker
    webhook_state: Annotated[
        str | None, Meta(description="Calendly's state of our subscription: `active`, `disabled`.")
    ]
    action_required: ActionRequired | None
    recovered: Annotated[
        Recovered | None, Meta(description="The last recovery; null if it was never lost.")
    ]
    shared_account: Annotated[
        bool,
        Meta(
            description=(
                "Whether another of your users is connected to the same Calendly account: both "
                "see its bookings, and Calendly counts both against that user's limits."
            )
        ),
    ]
    webhooks_missing_since: Annotated[
        datetime | None,
        Meta(
            description=(
                "Since when webhooks may be missing: the subscription was down and the bookings of "
                "that time are still to be fetched. Null when all is well."
            )
        ),
    ]
    repaired_count: Annotated[
        int,
        Meta(description="Bookings found wrong so far because their webhook never came.", ge=0),
    ]
    last_repaired_at: Annotated[
        datetime | None, Meta(description="When the last of them was put right.")
    ]
    reconcile_error: Annotated[
        str | None,
        Meta(
            description="Why the latest comparison of bookings did not end, or passed over a page."
        ),
    ]


class Disconnecting(msgspec.Struct, frozen=True):
    """Disconnecting was taken up and will be finished, even if Calendly is down now."""

    status: Literal["disconnecting"]
