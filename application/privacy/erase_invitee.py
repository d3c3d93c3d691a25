"""Erase one invitee by e-mail: bookings made anonymous, webhooks rewritten, kept that way.

The order makes the erasure complete. First the record is committed; from then on no transaction
stores the person again. Then transactions that began before it are awaited. Then all stored rows
are read and matched by the record. `application.privacy.finish_erasures` completes an erasure that
is interrupted after its record. The address stays in memory: it is never logged, stored or sent to
Temporal.
"""

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.erasures import Erasure
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.privacy.redact_all import RedactAll
from application.security.audit_trail import AuditTrail
from domain.audit import Actor, AuditAction
from domain.erasure import normalised
from domain.errors import InvalidInput
from domain.secret import Secret

LONGEST_EMAIL = 254


@dataclass(frozen=True, kw_only=True)
class EraseInvitee:
    """May be repeated: erased data is not found again."""

    storage: Storage
    redact_all: RedactAll
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    audit: AuditTrail

    async def __call__(self, email: str, by: Actor) -> Erasure:
        """Erase the person, and return the record without who it was.

        Args:
            email: in any spelling of small and capital letters.
            by: who asks, for the record and the audit trail.

        Raises:
            InvalidInput: the text is not an e-mail address.
            StorageUnavailable: begun, not ended: the record holds for what arrives; repeat it
                for the rest, or the daily job ends it.
            SealedValueUnreadable: the key of the record cannot be opened; nothing was done.

        """
        erasure = await self._begin(_checked(email), by)
        try:
            return await self._carry_out(erasure)
        except BaseException:
            self.telemetry.erasure_unfinished(erasure.id)
            raise

    async def _begin(self, email: str, by: Actor) -> Erasure:
        erasure = Erasure(
            id=self.randomness.new_id(), erased_at=self.clock.now(), requested_by=by.name
        )
        async with self.storage() as uow:
            await uow.erasures.begin(erasure, email, Secret(self.randomness.token()))
            await uow.audit.add(self.audit.entry(by, AuditAction.INVITEE_ERASED, erasure.id))
            await uow.commit()
        return erasure

    async def _carry_out(self, erasure: Erasure) -> Erasure:
        counts = await self.redact_all.run()
        done = counts.finished(erasure)
        async with self.storage() as uow:
            await uow.erasures.finish(done)
            await uow.commit()
        self.telemetry.invitee_erased(
            done.id, counts.bookings, counts.webhook_events, counts.unreadable
        )
        return done


def _checked(email: str) -> str:
    address = normalised(email)
    name, _, host = address.rpartition("@")
    if (
        not name
        or not host
        or len(address.split()) != 1
        or len(address) > LONGEST_EMAIL
        or not address.isprintable()
    ):
        raise InvalidInput("Name the invitee by one e-mail address.")
    return address
