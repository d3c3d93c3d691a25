"""The edge every activity passes: ids on each log line, exceptions mapped once, users first.

Nothing that an activity raises reaches a history without passing `failures.to_failure`.
"""

import random
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from application.resilience.priority import in_background
from domain.retries import RetryTable
from workflows.failures import UNEXPECTED, Attempt, to_failure

log = structlog.get_logger(__name__)


class ActivityEdge(Interceptor):
    """Wraps each activity of a worker.

    Args:
        retries: when the next attempt of one that failed comes.
        chance: returns a random number in [0, 1).

    """

    def __init__(
        self, retries: RetryTable | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        self._retries = retries or RetryTable()
        self._chance = chance

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        """Put the edge around the next interceptor."""
        return _Edge(next, self._retries, self._chance)


class _Edge(ActivityInboundInterceptor):
    def __init__(
        self,
        inner: ActivityInboundInterceptor,
        retries: RetryTable,
        chance: Callable[[], float],
    ) -> None:
        super().__init__(inner)
        self._retries = retries
        self._chance = chance

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - Temporal's name
        info = activity.info()
        started = time.monotonic()
        with bound_contextvars(
            workflow_id=info.workflow_id,
            workflow_run_id=info.workflow_run_id,
            activity=info.activity_type,
            attempt=info.attempt,
        ):
            try:
                with in_background():
                    result = await super().execute_activity(input)
            except Exception as error:  # noqa: BLE001 - the edge that maps them all
                failure = to_failure(error, Attempt(info.attempt, self._chance(), self._retries))
                _log_failure(failure, started)
                # Without its cause: that one's text would enter the history too.
                raise failure from None
            log.info("activity.done", seconds=_since(started), result=msgspec.to_builtins(result))
            return result


def _log_failure(failure: ApplicationError, started: float) -> None:
    level = log.error if failure.type == UNEXPECTED else log.warning
    level(
        "activity.failed",
        error_code=failure.type,
        message=failure.message,
        retried=not failure.non_retryable,
        seconds=_since(started),
    )


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
