"""The identities that leave the service: opaque UUIDs (version 7), one type per thing.

A row's BIGINT key never crosses out of persistence.
"""

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
IntegrationId = NewType("IntegrationId", UUID)
BookingId = NewType("BookingId", UUID)
WebhookEventId = NewType("WebhookEventId", UUID)
CommandId = NewType("CommandId", UUID)
