"""Maps an activity's exception to its failure in a workflow history; the only place for it.

Only messages of our own errors are carried over, which by their contract hold no secret. The text
of any other exception may quote data, so only its class and place are recorded.
"""

import traceback
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import SlotkeeperError
from domain.repetition import Repeat, repeat_of
from domain.retries import RetryTable

UNEXPECTED: Final = "unexpected"
"""The failure type of an exception that is not ours: a bug, so it is retried until a deploy."""

LONGEST_MESSAGE: Final = 500


class Attempt(msgspec.Struct, frozen=True):
    """The attempt that failed, counted from 1, and what its wait depends on.

    `chance` is a random number in [0, 1).
    """

    number: int
    chance: float
    table: RetryTable = RetryTable()


def to_failure(
    error: Exception, attempt: Attempt | None = None, *, persistent: bool = False
) -> ApplicationError:
    """Return what to raise in the place of an activity's exception.

    Its `type` is the error's code; the retry table says when the next attempt comes.

    Args:
        error: what the activity raised.
        attempt: without it only a wait that was asked for is handed on, and the activity's own
            policy decides about every other.
        persistent: retry every error until the activity's time is over, so that an operator can
            fix the cause. Otherwise permanent errors and those that need a person are final.

    """
    if isinstance(error, ApplicationError):
        return error
    cause = _most_telling(error)
    if isinstance(cause, SlotkeeperError):
        return _expected(cause, attempt, persistent=persistent)
    message = f"{type(cause).__name__} {_place(cause)}".strip()
    return ApplicationError(message, type=UNEXPECTED)


def _expected(
    error: SlotkeeperError, attempt: Attempt | None, *, persistent: bool
) -> ApplicationError:
    passing = repeat_of(error) is not Repeat.NEVER
    retried = passing or persistent
    return ApplicationError(
        error.message[:LONGEST_MESSAGE],
        type=error.code,
        non_retryable=not retried,
        next_retry_delay=_wait(error, attempt) if retried else None,
        # Weather, not faults: workers log and count these quietly.
        category=ApplicationErrorCategory.BENIGN
        if passing
        else ApplicationErrorCategory.UNSPECIFIED,
    )


def _wait(error: SlotkeeperError, attempt: Attempt | None) -> timedelta | None:
    if attempt is not None:
        # The error's kind was looked at already.
        return attempt.table.in_job(error, attempt.number, attempt.chance, persistent=True)
    asked = error.retry_after
    return None if asked is None else timedelta(seconds=max(asked, 0))


def _most_telling(error: Exception) -> Exception:
    """Return the leaf of a task group's error that counts: a bug before an expected error."""
    if not isinstance(error, ExceptionGroup):
        return error
    leaves = [_most_telling(one) for one in error.exceptions]
    return next((one for one in leaves if not isinstance(one, SlotkeeperError)), leaves[0])


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    file = "/".join(Path(last.filename).parts[-2:])
    return f"at {file}:{last.lineno} in {last.name}"
