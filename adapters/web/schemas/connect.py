"""Connecting a Calendly account."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapters.web.schemas.integration import Account, Recovered

LONGEST_HANDLE = 128
Handle = Annotated[str, Meta(min_length=1, max_length=LONGEST_HANDLE, pattern=r"^[A-Za-z0-9_-]+$")]


class StartedConnect(msgspec.Struct, frozen=True):
    """A connect flow that waits for the user's consent."""

    authorize_url: Annotated[
        str, Meta(description="Send the user's browser here. Good once, for this user only.")
    ]
    expires_at: Annotated[
        datetime, Meta(description="When the flow can no longer be completed (UTC).")
    ]


class HeldConnect(msgspec.Struct, frozen=True):
    """A connect flow whose consent was given, and which waits for its confirmation."""

    status: Annotated[
        Literal["confirm"], Meta(description="Confirm it for the user whose session this is.")
    ]
    handle: Annotated[str, Meta(description="Send it to the confirmation. Good once.")]
    expires_at: Annotated[datetime, Meta(description="When the handle ends (UTC).")]


class ConfirmConnect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The handle that a browser brought back."""

    handle: Annotated[
        Handle, Meta(description="`calendly_handle` of the query of `return_to`, as it is.")
    ]


class Connected(msgspec.Struct, frozen=True):
    """A connect flow that ended well."""

    status: Annotated[
        Literal["connected", "recovered"],
        Meta(description="`recovered` when the connection had been lost before."),
    ]
    integration_id: Annotated[str, Meta(description="Our name for the connection.")]
    account: Annotated[Account, Meta(description="The Calendly account; show it to your user.")]
    recovered: Annotated[
        Recovered | None, Meta(description="The cause and time, if the connection had been lost.")
    ] = None
    replaced: Annotated[
        str | None,
        Meta(description="The connection whose place it took; that one is being disconnected."),
    ] = None
