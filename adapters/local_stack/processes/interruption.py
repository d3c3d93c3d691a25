"""Ctrl-C, SIGTERM and a closed terminal, as one exception in the main thread.

It is raised once: while the stack stops, further signals change nothing, since what is being
stopped would otherwise be left half stopped.
"""

import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Somebody asked the stack to stop. Like KeyboardInterrupt, it is not an error."""


def raise_on_signals() -> None:
    """From now on the first of these signals raises `StopRequested`; later ones are ignored."""
    for number in _SIGNALS:
        signal.signal(number, _raise_once)


def _raise_once(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise StopRequested
