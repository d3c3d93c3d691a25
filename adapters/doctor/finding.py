"""The result of one check, and its remedy."""

from enum import StrEnum

import msgspec


class Health(StrEnum):
    """The state of a subject.

    ADVICE works and could be safer. UNCHECKED: another finding must be fixed first.
    """

    FINE = "fine"
    ADVICE = "advice"
    WRONG = "wrong"
    UNCHECKED = "not checked"


class Finding(msgspec.Struct, frozen=True):
    """One line of the report.

    Args:
        subject: of the check.
        health: its state.
        detail: the observation; quotes no secret.
        remedy: how to fix it; empty when nothing is to do.

    """

    subject: str
    health: Health
    detail: str
    remedy: str = ""


def fine(subject: str, detail: str) -> Finding:
    return Finding(subject, Health.FINE, detail)


def wrong(subject: str, detail: str, remedy: str) -> Finding:
    return Finding(subject, Health.WRONG, detail, remedy)


def advice(subject: str, detail: str, remedy: str) -> Finding:
    return Finding(subject, Health.ADVICE, detail, remedy)


def unchecked(subject: str, remedy: str) -> Finding:
    return Finding(subject, Health.UNCHECKED, remedy)
