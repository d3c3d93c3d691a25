"""What an activity's exception becomes in a workflow history: the one place that maps it.

Only messages of our own errors are carried over, which by their contract hold no secret. The text
of any other exception may quote data, so of those only the class and the place are told.
"""

import traceback
from datetime import timedelta
from pathlib import Path
from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import Kind, SlotkeeperError

UNEXPECTED: Final = "unexpected"
"""The failure type of an exception that is not ours: a bug, so it is retried until a deploy."""

LONGEST_MESSAGE: Final = 500

_RETRIED: Final = frozenset({Kind.TRANSIENT, Kind.THROTTLED})


def to_failure(error: Exception, *, persistent: bool = False) -> ApplicationError:
    """Return what to raise in the place of an activity's exception.

    Its `type` is the error's code; `retry_after` becomes the next retry's delay.

    Args:
        error: what the activity raised.
        persistent: retry whatever it is until the activity's time is over: an operator may mend
            it meanwhile. Otherwise permanent errors and those that need a person are final.

    """
    if isinstance(error, ApplicationError):
        return error
    cause = _most_telling(error)
    if isinstance(cause, SlotkeeperError):
        return _expected(cause, persistent=persistent)
    message = f"{type(cause).__name__} {_place(cause)}".strip()
    return ApplicationError(message, type=UNEXPECTED)


def _expected(error: SlotkeeperError, *, persistent: bool) -> ApplicationError:
    passing = error.kind in _RETRIED
    retried = passing or persistent
    delay = error.retry_after if retried else None
    return ApplicationError(
        error.message[:LONGEST_MESSAGE],
        type=error.code,
        non_retryable=not retried,
        next_retry_delay=None if delay is None else timedelta(seconds=max(delay, 0)),
        # Weather, not faults: workers log and count these quietly.
        category=ApplicationErrorCategory.BENIGN
        if passing
        else ApplicationErrorCategory.UNSPECIFIED,
    )


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
