"""Whether the running code is a background job that no user waits for.

A user's limit at Calendly is shared by jobs and by user requests. The start of a job sets the mark
once; it covers all that the job calls and the tasks that it starts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_IN_BACKGROUND: ContextVar[bool] = ContextVar("in_background", default=False)


def is_background() -> bool:
    return _IN_BACKGROUND.get()


@contextmanager
def in_background() -> Iterator[None]:
    """Mark the block as a job's work, which leaves room for what users ask for themselves."""
    before = _IN_BACKGROUND.set(True)
    try:
        yield
    finally:
        _IN_BACKGROUND.reset(before)
