"""Erasing a user."""

from datetime import datetime
from uuid import UUID

import msgspec


class UserErasure(msgspec.Struct, frozen=True):
    """The record of an erasure, without the person."""

    id: UUID
    erased_at: datetime
