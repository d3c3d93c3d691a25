"""The identities that leave the service: opaque UUIDs (version 7), one type per thing.

A row's BIGINT key never crosses out of persistence.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NewType
from uuid import UUID

_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

UserId = NewType("UserId", UUID)
IntegrationId = NewType("IntegrationId", UUID)
BookingId = NewType("BookingId", UUID)
WebhookEventId = NewType("WebhookEventId", UUID)
CommandId = NewType("CommandId", UUID)


def made_at(identity: UUID) -> datetime:
    """Return when we made an identity, to the millisecond (UTC; RFC 9562, section 5.7)."""
    return _UNIX_EPOCH + timedelta(milliseconds=identity.int >> 80)
