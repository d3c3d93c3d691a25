"""Ending an integration."""

import random
from collections.abc import Awaitable
from typing import Protocol

from temporalio import activity

from domain.errors import SlotkeeperError
from domain.ids import IntegrationId
from domain.retries import RetryTable
from workflows.activities.heartbeats import heartbeats
from workflows.failures import Attempt, to_failure
from workflows.messages import Erased, Erasure


class Finish(Protocol):
    """The use case: unsubscribe, revoke, erase; it says in a word how it ended."""

    def __call__(self, integration_id: IntegrationId, /, *, forced: bool) -> Awaitable[str]:
        """Do it."""
        ...


class Disconnecting:
    """The one step of a disconnection; it may be repeated."""

    def __init__(self, *, finish: Finish, retries: RetryTable | None = None) -> None:
        self._finish = finish
        self._retries = retries or RetryTable()

    @activity.defn(name="finish_disconnect")
    async def finish_disconnect(self, erasure: Erasure) -> Erased:
        """Unsubscribe, revoke and erase; forced: erase whatever Calendly says.

        Every failure is retried, also one that waiting alone does not cure.
        """
        try:
            async with heartbeats():
                result = await self._finish(erasure.integration_id, forced=erasure.forced)
        except SlotkeeperError as error:
            # The day that was promised is for an operator too: a key or a client secret that is
            # put right within it still lets the grant be revoked.
            chance = random.random()  # noqa: S311 - spreads retries
            attempt = Attempt(activity.info().attempt, chance, self._retries)
            raise to_failure(error, attempt, persistent=True) from None
        return Erased(result=result)
