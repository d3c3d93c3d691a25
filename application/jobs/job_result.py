"""The result of a job: only counts and codes, because the workflow engine's UI shows it."""

from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

LEFT_FOR_LATER: Final = "left_for_later"
"""The result of a row that could not be begun under its lease any more."""


class JobResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """Counts of one page, or of a whole run.

    Args:
        examined: rows that were taken up.
        done: how many ended as they should, by result (`refreshed`, `synced`, `applied`, …).
        failed: how many did not, by error code.
        cursor: where the next page begins, for sweeps that walk through all rows.
        more: whether another page may find work.
        held_by: why the rest has to wait, as a code: an open breaker, or postponed rows.
        resume_in: when to look again, in whole seconds from now; None when nothing waits.

    """

    # A factory's value is always encoded, so that a run without due rows reports 0.
    examined: int = msgspec.field(default_factory=int)
    done: dict[str, int] = {}
    failed: dict[str, int] = {}
    cursor: str | None = None
    more: bool = False
    held_by: str | None = None
    resume_in: int | None = None

    def plus(self, other: "JobResult") -> "JobResult":
        """Return both together; what tells how to go on is the later one's."""
        return JobResult(
            examined=self.examined + other.examined,
            done=dict(Counter(self.done) + Counter(other.done)),
            failed=dict(Counter(self.failed) + Counter(other.failed)),
            cursor=other.cursor,
            more=other.more,
            held_by=other.held_by,
            resume_in=other.resume_in,
        )


Progress = Callable[[JobResult], None]
"""Called after each row with the counts so far; must not block."""


class JobCounter:
    """Counts the rows of a page."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.job_result = JobResult()

    def done(self, result: str) -> None:
        """Count a row that ended as it should."""
        self._add(JobResult(examined=1, done={result: 1}))

    def failed(self, code: str, count: int = 1) -> None:
        """Count rows that did not."""
        self._add(JobResult(examined=count, failed={code: count}))

    def page(self, *, more: bool, cursor: str | None = None) -> JobResult:
        """Return the counts as the result of a page."""
        return msgspec.structs.replace(self.job_result, more=more, cursor=cursor)

    def waiting(self, *, held_by: str, resume_in: int) -> JobResult:
        """Return the counts as the result of a page after which the rest has to wait."""
        return msgspec.structs.replace(self.job_result, held_by=held_by, resume_in=resume_in)

    def _add(self, one: JobResult) -> None:
        self.job_result = self.job_result.plus(one)
        self._progress(self.job_result)
