"""Bugs that a job survives: told with their place, and counted under one name."""

from typing import Final

from application.jobs.error_location import error_location
from application.ports.telemetry import Telemetry

UNEXPECTED: Final = "unexpected"


def report_bug(telemetry: Telemetry, error: Exception) -> str:
    """Tell of an exception that is not one of the service's errors; return what it counts as."""
    telemetry.unexpected(type(error).__name__, error_location(error))
    return UNEXPECTED
