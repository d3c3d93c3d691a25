"""Connecting a Calendly account."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapters.web.schemas.integration import Recovered


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
    recovered: Annotated[
        Recovered | None, Meta(description="The cause and time, if the connection had been lost.")
    ] = None
    replaced: Annotated[
        str | None,
        Meta(description="The connection whose place it took; that one is being disconnected."),
    ] = None
