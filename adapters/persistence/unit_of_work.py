"""The repositories of one transaction."""

from adapters.persistence.repositories.api_keys import PiccoloApiKeys
from adapters.persistence.repositories.audit import PiccoloAudit
from adapters.persistence.repositories.availability_cache import PiccoloAvailabilityCache
from adapters.persistence.repositories.booking_commands import PiccoloBookingCommands
from adapters.persistence.repositories.bookings import PiccoloBookings
from adapters.persistence.repositories.breakers import PiccoloBreakers
from adapters.persistence.repositories.connect_attempts import PiccoloConnectAttempts
from adapters.persistence.repositories.encrypted_values import PiccoloSealedValues
from adapters.persistence.repositories.erasure_archive import PiccoloErasureArchive
from adapters.persistence.repositories.erasure_keys import ErasureKeys, HashKeys
from adapters.persistence.repositories.erasures import PiccoloErasures
from adapters.persistence.repositories.expired import PiccoloExpired
from adapters.persistence.repositories.integrations import PiccoloIntegrations
from adapters.persistence.repositories.personal_data import PiccoloPersonalData
from adapters.persistence.repositories.refresh_queue import PiccoloRefreshQueue
from adapters.persistence.repositories.sync_queue import PiccoloSyncQueue
from adapters.persistence.repositories.user_erasures import PiccoloUserErasures
from adapters.persistence.repositories.users import PiccoloUsers
from adapters.persistence.repositories.webhook_archive import PiccoloWebhookArchive
from adapters.persistence.repositories.webhook_events import PiccoloWebhookEvents
from adapters.persistence.session import Session
from adapters.persistence.transaction import OwnedTransaction
from application.ports.vault import Vault


class PiccoloUnitOfWork:
    def __init__(self, transaction: OwnedTransaction, vault: Vault, hash_keys: HashKeys) -> None:
        session = Session()
        self._transaction = transaction
        self.users = PiccoloUsers(session)
        self.api_keys = PiccoloApiKeys(session)
        self.connect_attempts = PiccoloConnectAttempts(session)
        self.integrations = PiccoloIntegrations(session)
        self.refresh_queue = PiccoloRefreshQueue(session)
        self.sync_queue = PiccoloSyncQueue(session)
        self.availability = PiccoloAvailabilityCache(session)
        self.webhook_events = PiccoloWebhookEvents(session, vault)
        self.bookings = PiccoloBookings(session, vault)
        self.booking_commands = PiccoloBookingCommands(session)
        self.breakers = PiccoloBreakers(session)
        self.sealed_values = PiccoloSealedValues(session)
        self.webhook_archive = PiccoloWebhookArchive(session, vault)
        self.expired = PiccoloExpired(session)
        keys = ErasureKeys(session, vault, hash_keys)
        self.erasures = PiccoloErasures(session, keys)
        self.user_erasures = PiccoloUserErasures(session, keys)
        self.erasure_archive = PiccoloErasureArchive(session, keys, self.user_erasures)
        self.personal_data = PiccoloPersonalData(session, vault)
        self.audit = PiccoloAudit(session)

    async def commit(self) -> None:
        await self._transaction.commit()
