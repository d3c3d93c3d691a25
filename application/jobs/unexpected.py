"""Bugs that a job survives: told with their place, and counted under one name."""

from typing import Final

from application.jobs.error_location import whereabouts
from application.ports.signals import Signals

UNEXPECTED: Final = "unexpected"


def tell_bug(signals: Signals, error: Exception) -> str:
    """Tell of an exception that is not one of the service's errors; return what it counts as."""
    signals.unexpected(type(error).__name__, whereabouts(error))
    return UNEXPECTED
