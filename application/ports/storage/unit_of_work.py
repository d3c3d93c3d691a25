"""One transaction over everything that is stored.

Leaving the block rolls back; `commit` is the explicit act. Nothing is awaited inside the block
but the store itself: no call to Calendly or Temporal, no new task.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from application.ports.storage.api_keys import ApiKeys
from application.ports.storage.audit import Audit
from application.ports.storage.availability_cache import AvailabilityCache
from application.ports.storage.booking_commands import BookingCommands
from application.ports.storage.bookings import Bookings
from application.ports.storage.breakers import Breakers
from application.ports.storage.cache_lookup import CacheLookup
from application.ports.storage.caller_lookup import CallerLookup
from application.ports.storage.connect_attempts import ConnectAttempts
from application.ports.storage.encrypted_values import SealedValues
from application.ports.storage.erasure_archive import ErasureArchive
from application.ports.storage.erasures import Erasures
from application.ports.storage.expired import Expired
from application.ports.storage.integrations import Integrations
from application.ports.storage.personal_data import PersonalData
from application.ports.storage.refresh_log import RefreshLog
from application.ports.storage.refresh_queue import RefreshQueue
from application.ports.storage.sync_queue import SyncQueue
from application.ports.storage.user_erasures import UserErasures
from application.ports.storage.users import Users
from application.ports.storage.webhook_archive import WebhookArchive
from application.ports.storage.webhook_events import WebhookEvents


class UnitOfWork(Protocol):
    """The repositories of one transaction."""

    @property
    def users(self) -> Users: ...
    @property
    def api_keys(self) -> ApiKeys: ...
    @property
    def connect_attempts(self) -> ConnectAttempts: ...
    @property
    def integrations(self) -> Integrations: ...
    @property
    def refresh_queue(self) -> RefreshQueue: ...
    @property
    def sync_queue(self) -> SyncQueue: ...
    @property
    def availability(self) -> AvailabilityCache: ...
    @property
    def webhook_events(self) -> WebhookEvents: ...
    @property
    def bookings(self) -> Bookings: ...
    @property
    def booking_commands(self) -> BookingCommands: ...
    @property
    def breakers(self) -> Breakers: ...
    @property
    def sealed_values(self) -> SealedValues: ...
    @property
    def webhook_archive(self) -> WebhookArchive: ...
    @property
    def expired(self) -> Expired: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def user_erasures(self) -> UserErasures: ...
    @property
    def erasure_archive(self) -> ErasureArchive: ...
    @property
    def personal_data(self) -> PersonalData: ...
    @property
    def audit(self) -> Audit: ...

    async def commit(self) -> None:
        """Make everything done in this block durable; after it the block may only end.

        Raises:
            StorageUnavailable: the store is gone; nothing of the block may be assumed.

        """
        ...


class Storage(Protocol):
    """Opens units of work."""

    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Begin a transaction.

        Raises:
            StorageContended: a lock held for too long, a deadlock, a serialization failure;
                it is a StorageUnavailable, and nothing of the block is stored.
            StorageUnavailable: no connection, a time-out.

        """
        ...

    def refresh_log(self) -> RefreshLog:
        """Return the log of token requests, which commits by itself."""
        ...

    def cache_lookup(self) -> CacheLookup:
        """Return the lookups of the availability cache, which are outside any transaction."""
        ...

    def callers(self) -> CallerLookup:
        """Return the lookups of keys and users, which are outside any transaction."""
        ...
