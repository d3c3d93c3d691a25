"""Entries of the audit trail."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class AuditEntry(msgspec.Struct, frozen=True):
    """One act of an operator, or of a program that ended something."""

    id: UUID
    at: Annotated[datetime, Meta(description="When it was done (UTC).")]
    actor: Annotated[
        str, Meta(description="`key:ID` for an API key, `cli:USER@HOST` for a command.")
    ]
    action: Annotated[str, Meta(description="The act, for example `webhook_body_shown`.")]
    subject_id: Annotated[UUID | None, Meta(description="Its object; null for many.")]
    affected: Annotated[int | None, Meta(description="How many objects it changed, if several.")]
    result: Annotated[str, Meta(description="`done`, or an error's code.")]
    request_id: Annotated[str | None, Meta(description="Of the HTTP request.")]


class AuditPage(msgspec.Struct, frozen=True):
    """A page of entries, the latest first."""

    items: tuple[AuditEntry, ...]
    next_cursor: Annotated[
        str | None, Meta(description="Pass as `cursor` for the next page; null on the last one.")
    ]
