"""Bring erasures of users to their end that a crash, or a job that was not started, left open."""

from dataclasses import dataclass

import msgspec

from application.ports.jobs import Jobs
from application.ports.storage.unit_of_work import Storage
from application.privacy.erase_user import end_user, start_disconnects
from domain.ids import UserId

USERS_AT_ONCE = 50


class UserPage(msgspec.Struct, frozen=True):
    """The result of a page.

    Args:
        examined: users that are being erased.
        erased: those whose rows are deleted now.
        after: where the next page begins; None at the end.

    """

    examined: int
    erased: int
    after: UserId | None


@dataclass(frozen=True, kw_only=True)
class FinishUserErasures:
    """One page a call. A user with an integration stays until its job has deleted that."""

    storage: Storage
    jobs: Jobs

    async def __call__(self, after: UserId | None) -> UserPage:
        """Work the page behind a position; None: the first."""
        async with self.storage() as uow:
            users = await uow.user_erasures.unfinished(after, USERS_AT_ONCE)
        erased = 0
        for user_id in users:
            erased += await self._end(user_id)
        return UserPage(
            examined=len(users),
            erased=erased,
            after=users[-1] if len(users) == USERS_AT_ONCE else None,
        )

    async def _end(self, user_id: UserId) -> bool:
        async with self.storage() as uow:
            integrations = await end_user(uow, user_id)
            await uow.commit()
        await start_disconnects(self.jobs, integrations)
        return not integrations
