"""What one check found, and what to do about it."""

from enum import StrEnum

import msgspec


class Health(StrEnum):
    """How a thing was found; UNCHECKED when something else has to be mended first."""

    FINE = "fine"
    WRONG = "wrong"
    UNCHECKED = "not checked"


class Finding(msgspec.Struct, frozen=True):
    """One line of the report.

    Args:
        subject: what was looked at.
        health: how it was found.
        detail: what was seen; quotes no secret.
        remedy: what to do, for what is not fine.

    """

    subject: str
    health: Health
    detail: str
    remedy: str = ""


def fine(subject: str, detail: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(subject, Health.FINE, detail)


def wrong(subject: str, detail: str, remedy: str) -> Finding:
    """Return a finding that somebody has to act on."""
    return Finding(subject, Health.WRONG, detail, remedy)


def unchecked(subject: str, remedy: str) -> Finding:
    """Return a finding of a thing that could not be looked at."""
    return Finding(subject, Health.UNCHECKED, remedy)
