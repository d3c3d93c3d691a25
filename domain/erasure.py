"""Forgetting an invitee: what of a booking stays when the person asked to be erased.

What stays is what the host's calendar needs: that somebody was, or is, booked at that time, and
what became of it. The rule not to break: facts are made anonymous before they are merged, or the
fuller ones would win and bring the person back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from domain.booking import LAG, Cancellation, Details, Facts, Invitee, Links, Location

NOBODY: Final = Invitee(name="", email="")
BY_INVITEE: Final = "invitee"


def normalised(email: str) -> str:
    """Return an e-mail address as it is compared: without blanks around it, in small letters."""
    return email.strip().lower()


def is_covered(facts: Facts, erased_at: datetime) -> bool:
    """Whether an erasure holds for what was booked then.

    Who books again afterwards gave their name anew: that booking is not touched.
    """
    return facts.created_at <= erased_at + LAG


def without_erased(observed: Sequence[Facts], erased: Mapping[str, datetime]) -> Sequence[Facts]:
    """Return observed facts with those of erased invitees made anonymous.

    Args:
        observed: what arrived.
        erased: when whom, by the normalised e-mail address (UTC).

    """
    return [_without(facts, erased) for facts in observed]


def _without(facts: Facts, erased: Mapping[str, datetime]) -> Facts:
    erased_at = erased.get(normalised(facts.details.invitee.email))
    covered = erased_at is not None and is_covered(facts, erased_at)
    return anonymous(facts) if covered else facts


def anonymous(facts: Facts) -> Facts:
    """Return the facts without anything of the person; doing it twice changes nothing more."""
    return replace(
        facts,
        details=_details(facts.details),
        cancellation=None if facts.cancellation is None else _cancellation(facts.cancellation),
        links=Links(),
    )


def _details(details: Details) -> Details:
    name = details.invitee.name.strip().lower()
    names_person = bool(name) and name in details.event_name.lower()
    return replace(
        details,
        event_name="" if names_person else details.event_name,
        invitee=NOBODY,
        # A phone call's location is the invitee's number.
        location=None if details.location is None else Location(kind=details.location.kind),
        calendar_event_id=None,
    )


def _cancellation(cancellation: Cancellation) -> Cancellation:
    by = "" if cancellation.by_kind == BY_INVITEE else cancellation.by
    return replace(cancellation, by=by, reason=None)
