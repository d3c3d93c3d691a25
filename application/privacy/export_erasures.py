"""Write down the records of all erasures, so that they survive the restore of an older backup."""

from dataclasses import dataclass

import msgspec

from application.ports.clock import Clock
from application.ports.storage.unit_of_work import Storage
from application.privacy.erasure_file import FORMAT, Content, File


@dataclass(frozen=True, kw_only=True)
class ExportErasures:
    storage: Storage
    clock: Clock

    async def __call__(self) -> bytes:
        """Return the file: hashes, and their keys sealed by the key ring; no person is named.

        Raises:
            StorageUnavailable: the store is down.
            SealedValueUnreadable: the key of the hashes cannot be opened.

        """
        async with self.storage() as uow:
            archive = uow.erasure_archive
            keys = await archive.keys()
            content = msgspec.json.encode(
                Content(
                    format=FORMAT,
                    exported_at=self.clock.now(),
                    keys=keys,
                    invitees=await archive.invitees(),
                    users=await archive.users(),
                )
            )
            mac = await archive.mac(keys[0], content) if keys else b""
        return msgspec.json.encode(File(mac=mac, content=msgspec.Raw(content))) + b"\n"
