"""Heal the webhook subscriptions of all live integrations."""

from application.ensure_subscription import EnsureSubscription
from application.ports.unit_of_work import Storage
from application.sweep import sweep
from application.tally import Progress, Tally


class HealSubscriptions:
    """Calendly disables a failing subscription after a day and tells nobody; this finds out."""

    def __init__(self, *, storage: Storage, ensure: EnsureSubscription, concurrency: int) -> None:
        self._storage = storage
        self._ensure = ensure
        self._concurrency = concurrency

    async def __call__(self, cursor: str | None, limit: int, progress: Progress) -> Tally:
        """Heal a page; results are `kept`, `created`, `replaced`."""
        return await sweep(
            self._storage,
            lambda integration: self._ensure(integration.id),
            cursor=cursor,
            limit=limit,
            concurrency=self._concurrency,
            progress=progress,
        )
