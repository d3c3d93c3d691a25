"""Problem details (RFC 9457), the one shape of every error answer.

No member ever repeats a value that the caller sent.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.errors import Kind


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fault of one part of a request."""

    field: Annotated[str, Meta(description="Name of the field, parameter or header.")]
    message: Annotated[str, Meta(description="The value that is expected.")]
    location: Annotated[
        str | None, Meta(description="`body`, `query`, `path`, `header` or `cookie`.")
    ] = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An error, for programs (`code`, `kind`) and for people (`title`, `detail`)."""

    type: Annotated[str, Meta(description="`urn:slotkeeper:problem:` and the code.")]
    title: Annotated[str, Meta(description="The kind of problem, the same for each occurrence.")]
    status: Annotated[int, Meta(description="The HTTP status, repeated.")]
    detail: Annotated[str, Meta(description="The cause of this occurrence, and the remedy.")]
    code: Annotated[str, Meta(description="A stable code to branch on.")]
    kind: Annotated[
        Kind, Meta(description="Whether to fix the request, retry it or ask a person.")
    ]
    instance: Annotated[
        str, Meta(description="`urn:slotkeeper:request:` and the X-Request-Id of this answer.")
    ]
    retry_after: Annotated[
        int | None, Meta(description="Seconds to wait before trying again.")
    ] = None
    errors: Annotated[
        tuple[FieldError, ...], Meta(description="The faulty parts of the request.")
    ] = ()
    cause: Annotated[
        str | None, Meta(description="Why the connection was lost (`reauth_required`).")
    ] = None
    connect_path: Annotated[str | None, Meta(description="Where the user can connect again.")] = (
        None
    )
    connect_url: Annotated[
        str | None, Meta(description="The same as a whole address below `PUBLIC_URL`.")
    ] = None
    since: Annotated[
        datetime | None, Meta(description="Since when the connection is lost (UTC).")
    ] = None
    missing_scopes: Annotated[
        tuple[str, ...], Meta(description="Scopes that the user did not grant.")
    ] = ()
    required_scopes: Annotated[
        tuple[str, ...], Meta(description="Scopes that Calendly asked for.")
    ] = ()
