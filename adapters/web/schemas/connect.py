"""Connecting a Calendly account."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class StartedConnect(msgspec.Struct, frozen=True):
    """A connect flow that waits for the user's consent."""

    authorize_url: Annotated[
        str, Meta(description="Send the user's browser here. Good once, for this user only.")
    ]
    expires_at: Annotated[
        datetime, Meta(description="When the flow can no longer be completed (UTC).")
    ]


class Connected(msgspec.Struct, frozen=True):
    """A connect flow that ended well."""

    status: Annotated[
        Literal["connected", "recovered"],
        Meta(description="`recovered` when the connection had been lost before."),
    ]
    integration_id: Annotated[str, Meta(description="Our name for the connection.")]
