"""Erase one of the team's users, connected or not.

One transaction records the erasure, takes the team's id off the user and marks their integrations
as disconnecting. The job of each integration revokes its tokens and deletes its data; the last one
deletes the user's row. `application.privacy.finish_user_erasures` completes what was interrupted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.randomness import Randomness
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.storage.user_erasures import UserErasure
from application.ports.telemetry import Telemetry
from application.security.audit_trail import AuditTrail
from application.security.identify_caller import LONGEST_EXTERNAL_ID
from domain.audit import Actor, AuditAction
from domain.errors import InvalidInput, JobsUnavailable
from domain.ids import IntegrationId, UserId
from domain.secret import Secret


@dataclass(frozen=True, kw_only=True)
class EraseUser:
    """May be repeated. An unknown user has the same result, so that it shows no user's existence."""

    storage: Storage
    jobs: Jobs
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    audit: AuditTrail

    async def __call__(self, external_id: str, by: Actor) -> UserErasure:
        """Begin the erasure, and return its record.

        A user without an integration is deleted now. Otherwise the jobs delete them, within a day
        even if Calendly or Temporal is down.

        Args:
            external_id: the team's own id of the user.
            by: who asks, for the record and the audit trail.

        Raises:
            InvalidInput: the text cannot be the id of a user.
            StorageUnavailable: nothing was done, or the result is unknown; repeat it.
            SealedValueUnreadable: the key of the record cannot be opened; nothing was done.

        """
        erasure = UserErasure(
            id=self.randomness.new_id(), erased_at=self.clock.now(), requested_by=by.name
        )
        new_key = Secret(self.randomness.token())
        async with self.storage() as uow:
            user_id = await uow.user_erasures.begin(erasure, _checked(external_id), new_key)
            integrations = [] if user_id is None else await end_user(uow, user_id)
            await uow.audit.add(self.audit.entry(by, AuditAction.USER_ERASED, erasure.id))
            await uow.commit()
        started = await start_disconnects(self.jobs, integrations)
        self.telemetry.user_erased(erasure.id, len(integrations), started)
        return erasure


async def end_user(uow: UnitOfWork, user_id: UserId) -> Sequence[IntegrationId]:
    """Return the integrations that must be disconnected first; without any, delete the user."""
    integrations = await uow.integrations.mark_all_disconnecting(user_id)
    if not integrations:
        await uow.user_erasures.finish(user_id)
    return integrations


async def start_disconnects(jobs: Jobs, integrations: Sequence[IntegrationId]) -> int:
    """Start the job of each, and return for how many one runs.

    Without Temporal the sweep over all subscriptions starts them later (HealSubscriptions).
    """
    for count, each in enumerate(integrations):
        try:
            await jobs.disconnect(each)
        except JobsUnavailable:
            return count  # Each of the others would wait for the same timeout.
    return len(integrations)


def _checked(external_id: str) -> str:
    if not external_id or external_id != external_id.strip():
        raise InvalidInput("Name the user by the team's own id, without blanks at its ends.")
    if len(external_id) > LONGEST_EXTERNAL_ID:
        raise InvalidInput(f"The id of a user has at most {LONGEST_EXTERNAL_ID} characters.")
    return external_id
