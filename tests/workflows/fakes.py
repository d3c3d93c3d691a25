"""Small stateful use cases for workflow tests: they work on queues and fail as arranged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from adapters.wiring.services import Services
from application.jobs.job_result import JobCounter, JobResult, Progress
from application.ports.unsaved_tokens import UnsavedTokenPair, UnsavedTokens
from domain.errors import SlotkeeperError
from domain.ids import IntegrationId


@dataclass
class Failing:
    """Raises the scripted errors first, one a call; `calls` counts every call."""

    errors: list[Exception] = field(default_factory=list)
    calls: int = 0

    def call(self) -> None:
        """Count this call, or raise the next scripted error."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


@dataclass
class DueRows(Failing):
    """A queue of rows, each named by how it ends: a result, or an error code in capitals.

    `unsaved` are the token pairs that an attempt cannot store, `found` those of the attempt
    before. `waits` are the pages that ask to be looked at again later.
    """

    rows: list[str] = field(default_factory=list)
    unsaved: list[UnsavedTokenPair] = field(default_factory=list)
    found: list[UnsavedTokenPair] = field(default_factory=list)
    waits: list[JobResult] = field(default_factory=list)

    async def __call__(
        self, limit: int, progress: Progress, unsaved_tokens: UnsavedTokens | None = None
    ) -> JobResult:
        """Work a page; a scripted wait comes first."""
        self.call()
        self._strand(unsaved_tokens)
        if self.waits:
            return self.waits.pop(0)
        counter = JobCounter(progress)
        page, self.rows = self.rows[:limit], self.rows[limit:]
        for row in page:
            counter.failed(row.lower()) if row.isupper() else counter.done(row)
        return counter.page(more=len(page) == limit)

    def _strand(self, unsaved_tokens: UnsavedTokens | None) -> None:
        if unsaved_tokens is None:
            return
        self.found = list(unsaved_tokens.kept())
        for pair in self.unsaved:
            unsaved_tokens.keep(pair)
            unsaved_tokens.alarm()


@dataclass
class CursorRows(Failing):
    """Rows walked through by a cursor; `cursors` records where each page began."""

    rows: Sequence[str] = ()
    cursors: list[str | None] = field(default_factory=list)

    async def __call__(self, cursor: str | None, limit: int, progress: Progress) -> JobResult:
        """Work a page."""
        self.call()
        self.cursors.append(cursor)
        start = int(cursor or 0)
        counter = JobCounter(progress)
        page = self.rows[start : start + limit]
        for row in page:
            counter.done(row)
        more = start + limit < len(self.rows)
        return counter.page(more=more, cursor=str(start + limit) if more else None)


@dataclass
class OneIntegration(Failing):
    """A use case for one integration; `seen` records for which it came to its end."""

    result: str = "done"
    always: SlotkeeperError | None = None
    seen: list[IntegrationId] = field(default_factory=list)

    async def __call__(self, integration_id: IntegrationId) -> str:
        """Do it, or fail as scripted."""
        self.call()
        if self.always is not None:
            raise self.always
        self.seen.append(integration_id)
        return self.result


@dataclass
class ReconcileOne(Failing):
    """The comparison of one integration's bookings; `backfills` records the flag of each call."""

    changed: int = 0
    backfills: list[bool] = field(default_factory=list)

    async def __call__(self, integration_id: IntegrationId, *, backfill: bool) -> int:  # noqa: ARG002 - any
        """Return how many bookings changed."""
        self.call()
        self.backfills.append(backfill)
        return self.changed


@dataclass
class Erase(Failing):
    """The end of an integration; while `calendly_error` is set only force gets through.

    `forced_errors` are raised first by the calls that are forced, one a call.
    """

    calendly_error: SlotkeeperError | None = None
    forced_errors: list[SlotkeeperError] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)

    async def __call__(self, integration_id: IntegrationId, *, forced: bool) -> str:  # noqa: ARG002 - any
        """Erase, or fail as Calendly does."""
        self.call()
        self.forced.append(forced)
        if self.calendly_error is None:
            return "erased"
        if not forced:
            raise self.calendly_error
        if self.forced_errors:
            raise self.forced_errors.pop(0)
        return "erased_unrevoked"


@dataclass
class FakeUseCases:
    """Everything that activities call, empty queues by default."""

    refresh_due_tokens: DueRows = field(default_factory=DueRows)
    sync_due_availability: DueRows = field(default_factory=DueRows)
    apply_webhooks: DueRows = field(default_factory=DueRows)
    heal_subscriptions: CursorRows = field(default_factory=CursorRows)
    reconcile_all: CursorRows = field(default_factory=CursorRows)
    fill_gaps: CursorRows = field(default_factory=CursorRows)
    prune_webhooks: CursorRows = field(default_factory=CursorRows)
    ensure_subscription: OneIntegration = field(default_factory=OneIntegration)
    sync_availability: OneIntegration = field(default_factory=OneIntegration)
    reconcile_bookings: ReconcileOne = field(default_factory=ReconcileOne)
    finish_disconnect: Erase = field(default_factory=Erase)

    @property
    def services(self) -> Services:
        """These fakes as the list that activities take."""
        return cast(Services, self)
