"""The content of the fake store: dictionaries of immutable rows, so that a copy is a snapshot."""

from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn, Self
from uuid import UUID

import msgspec

from application.ports.storage.api_keys import ApiKey
from application.ports.storage.availability_cache import CacheEntry, CacheKind
from application.ports.storage.booking_commands import BookingCommand
from application.ports.storage.breakers import Surface
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.erasures import Erasure
from application.ports.storage.user_erasures import UserErasure
from application.ports.storage.webhook_events import WebhookEvent
from domain.audit import AuditEntry
from domain.booking import Booking
from domain.circuit_breaker import Breaker
from domain.ids import CommandId, IntegrationId, UserId, WebhookEventId
from domain.integration import Integration, Lease, Status


class IntegrationRow(msgspec.Struct, frozen=True):
    """An integration with the columns of the two queues and of the cache."""

    value: Integration
    sync_due_at: datetime
    fence: int = 0
    lease: Lease | None = None
    next_refresh_at: datetime | None = None
    token_requests_since: datetime | None = None
    token_requests: int = 0
    refused_version: int | None = None
    sync_owner: str | None = None
    sync_until: datetime | None = None
    requested_at: datetime | None = None
    invalidated: Mapping[str, tuple[datetime, str]] = {}
    version: int = 0
    read_at: datetime | None = None

    @property
    def invalidated_at(self) -> datetime | None:
        """When the cache was last invalidated (UTC)."""
        return max((at for at, _ in self.invalidated.values()), default=None)

    @property
    def invalidated_by(self) -> str | None:
        """The reason."""
        return next(
            (by for at, by in self.invalidated.values() if at == self.invalidated_at), None
        )


class EventRow(msgspec.Struct, frozen=True):
    """A webhook event with its status."""

    event: WebhookEvent
    next_attempt_at: datetime
    status: str = "pending"
    reason: str | None = None
    settled_at: datetime | None = None


class ReplayRow(msgspec.Struct, frozen=True):
    """The number of replays, and the last replay's operator."""

    replays: int
    replayed_at: datetime
    replayed_by: str


class ErasureRow(msgspec.Struct, frozen=True):
    """An erasure with the address that the real store keeps as a hash alone."""

    erasure: Erasure
    email: str


class UserErasureRow(msgspec.Struct, frozen=True):
    """An erasure of a user with the id that the real store keeps as a hash alone."""

    erasure: UserErasure
    external_id: str
    user_id: UserId | None


class KeyRow(msgspec.Struct, frozen=True):
    """An API key with its hash."""

    key: ApiKey
    key_hash: bytes


class EntryRow(msgspec.Struct, frozen=True):
    """A cache entry with its integration."""

    entry: CacheEntry
    integration_id: IntegrationId


class State:
    """Every table of the fake store."""

    def __init__(self) -> None:
        self.users: dict[str, UserId] = {}
        self.api_keys: dict[UUID, KeyRow] = {}
        self.connect_attempts: dict[bytes, ConnectAttempt] = {}
        self.held_until: dict[bytes, datetime] = {}
        self.integrations: dict[IntegrationId, IntegrationRow] = {}
        self.entries: dict[tuple[UserId, CacheKind, str], EntryRow] = {}
        self.webhook_events: dict[WebhookEventId, EventRow] = {}
        self.bookings: dict[tuple[IntegrationId, str], Booking] = {}
        self.booking_commands: dict[CommandId, BookingCommand] = {}
        self.replays: dict[WebhookEventId, ReplayRow] = {}
        self.erasures: dict[UUID, ErasureRow] = {}
        self.user_erasures: dict[UUID, UserErasureRow] = {}
        self.open_elsewhere: dict[str, datetime] = {}
        self.breakers: dict[Surface, Breaker] = {}
        self.audit: dict[UUID, AuditEntry] = {}

    def snapshot(self) -> Self:
        """Return a copy that further changes of this one do not touch."""
        copy = type(self)()
        for name, table in vars(self).items():
            setattr(copy, name, dict(table))
        return copy

    def end(self) -> None:
        """Make every further use an error: the unit of work has ended."""
        vars(self).clear()

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError("This unit of work has ended.")

    def integration_of(self, user_id: UserId) -> IntegrationRow | None:
        """Return the user's latest integration row, rather one that stays, or None."""
        rows = [row for row in self.integrations.values() if row.value.user_id == user_id]
        staying = [row for row in rows if row.value.status is not Status.DISCONNECTING]
        return next(reversed(staying or rows), None)

    def pending_of(self, user_id: UserId) -> list[WebhookEvent]:
        """Return what waits to be applied of a user."""
        rows = [row for row in self.webhook_events.values() if row.status == "pending"]
        return [row.event for row in rows if row.event.user_id == user_id]

    def is_leaving(self, user_id: UserId) -> bool:
        """Whether the user is being erased."""
        return any(row.user_id == user_id for row in self.user_erasures.values())

    def has_user(self, user_id: UserId) -> bool:
        """Whether the user exists."""
        return user_id in self.users.values()
