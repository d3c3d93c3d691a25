"""Deletion of expired rows, a page at a time, without waiting for locks."""

from datetime import datetime
from typing import Protocol

import msgspec

from domain.ids import WebhookEventId
from domain.retention import Cutoffs


class PrunedPage(msgspec.Struct, frozen=True):
    """The result of a page of stored webhooks.

    Args:
        examined: events that were looked at.
        settled: applied and ignored ones that are gone.
        dead_letters: given up ones that are gone.
        after: where the next page begins; None when no event behind it is old enough.

    """

    examined: int
    settled: int = 0
    dead_letters: int = 0
    after: WebhookEventId | None = None


class Expired(Protocol):
    """Deletes expired rows; rows that another transaction has locked are left for the next run."""

    async def prune_webhooks(
        self, cutoffs: Cutoffs, after: WebhookEventId | None, limit: int
    ) -> PrunedPage:
        """Look at up to `limit` events behind a position, the oldest first; never a pending one."""
        ...

    async def prune_connect_attempts(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` connect flows that died before a moment; return how many."""
        ...

    async def prune_held_codes(self, now: datetime, limit: int) -> int:
        """Delete up to `limit` connect flows whose code was held until before now; count them."""
        ...

    async def prune_audit(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` entries of the audit trail of before then; return how many."""
        ...

    async def prune_commands(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` booking commands that were carried out before; return how many."""
        ...
