"""Erase again all people whose erasure a restored backup does not know.

First the records are committed: from then on no transaction stores an erased person. Then the users
of the backup are compared with them, and all bookings and stored webhooks. May be repeated; if this
process dies, the daily job completes the invitees, and a repetition the users.
"""

import hmac
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.ports.jobs import Jobs
from application.ports.storage.erasures import Erasure
from application.ports.storage.unit_of_work import Storage
from application.privacy.erase_user import end_user, start_disconnects
from application.privacy.erasure_file import Content, File, read
from application.privacy.redact_all import RedactAll, Redaction
from domain.errors import InvalidInput

USERS_AT_ONCE = 1_000


class Applied(msgspec.Struct, frozen=True):
    """The counts.

    Args:
        records: erasures in the file.
        users: users of the backup that are being erased again.
        redaction: of bookings and stored webhooks.

    """

    records: int
    users: int
    redaction: Redaction


@dataclass(frozen=True, kw_only=True)
class ApplyErasures:
    storage: Storage
    redact_all: RedactAll
    jobs: Jobs

    async def __call__(self, text: bytes) -> Applied:
        """Apply a file of `ExportErasures`.

        Raises:
            InvalidInput: not such a file, or a changed one; nothing was done.
            SealedValueUnreadable: its keys were sealed by a key that the ring does not have.
            StorageUnavailable: begun, not ended; repeat it.

        """
        file, content = read(text)
        unfinished = await self._add(file, content)
        users = await self._users()
        redaction = await self.redact_all.run()
        if unfinished is not None:
            await self._finish(unfinished, redaction)
        return Applied(len(content.invitees) + len(content.users), users, redaction)

    async def _add(self, file: File, content: Content) -> UUID | None:
        if not content.keys:
            if content.invitees or content.users:
                raise _changed()
            return None
        async with self.storage() as uow:
            archive = uow.erasure_archive
            mac = await archive.mac(content.keys[0], bytes(file.content))
            if not hmac.compare_digest(mac, file.mac):
                raise _changed()
            await archive.add_keys(content.keys)
            await archive.add_users(content.users)
            unfinished = await archive.add_invitees(content.invitees)
            await uow.commit()
        return unfinished

    async def _users(self) -> int:
        erased, after = 0, 0
        while True:
            async with self.storage() as uow:
                page = await uow.erasure_archive.restored_users(after, USERS_AT_ONCE)
                integrations = [
                    each for user_id in page.users for each in await end_user(uow, user_id)
                ]
                await uow.commit()
            await start_disconnects(self.jobs, integrations)
            erased += len(page.users)
            if page.after is None:
                return erased
            after = page.after

    async def _finish(self, erasure_id: UUID, redaction: Redaction) -> None:
        async with self.storage() as uow:
            found: Erasure | None = await uow.erasures.find(erasure_id)
            if found is not None:
                await uow.erasures.finish(redaction.finished(found))
            await uow.commit()


def _changed() -> InvalidInput:
    return InvalidInput("This file was changed after it was exported; nothing was applied.")
