"""Forgetting an invitee: what of a booking stays when the person asked to be erased.

The host's calendar keeps its needs: a time was, or is, booked, and the state of that booking. The
rule not to break: facts are made anonymous before they are merged, or the fuller ones would win and
bring the person back.

An erasure covers the data given until then. An invitee who books again gave their name again, and
is not erased until the next erasure.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from domain.booking import (
    LAG,
    Booking,
    Cancellation,
    Details,
    Facts,
    Invitee,
    Links,
    Location,
)

NOBODY: Final = Invitee(name="", email="")
BY_INVITEE: Final = "invitee"


def normalised(email: str) -> str:
    """Return an e-mail address as it is compared, here and nowhere else.

    Without white space around it, in small letters (Unicode's default, of no language) and in
    normal form C (UAX #15). Deliberately not case folding, which takes "ß" for "ss": those may be
    two people's addresses, and to erase a stranger cannot be undone.
    """
    return unicodedata.normalize("NFC", email.strip().lower())


def is_covered(facts: Facts, erased_at: datetime, stored_at: datetime | None = None) -> bool:
    """Whether an erasure holds for a booking.

    For all that was stored by then, and for what was booked until then. The booking's own time is
    by Calendly's clock, from which ours may differ.

    Args:
        facts: observed or stored facts of it.
        erased_at: when the person was erased (UTC).
        stored_at: when it was first stored (UTC); None if it is not.

    """
    stored_before = stored_at is not None and stored_at <= erased_at
    return stored_before or _holds_for(facts.created_at, erased_at)


def is_body_covered(
    received_at: datetime, booked_at: datetime | None, erased_at: datetime
) -> bool:
    """Whether an erasure holds for a stored webhook.

    For all that had arrived by then, and for what arrived later of a booking made until then.

    Args:
        received_at: when it arrived (UTC).
        booked_at: when what it is about was made, as it says itself (UTC); None if it does not.
        erased_at: when the person was erased (UTC).

    """
    arrived_before = received_at <= erased_at
    return arrived_before or (booked_at is not None and _holds_for(booked_at, erased_at))


def _holds_for(made_at: datetime, erased_at: datetime) -> bool:
    return made_at <= erased_at + LAG


def without_erased(
    observed: Sequence[Facts], erased: Mapping[str, datetime], stored: Mapping[str, Booking]
) -> Sequence[Facts]:
    """Return observed facts with those of erased invitees made anonymous.

    Args:
        observed: what arrived.
        erased: the time of each erasure by normalised e-mail address (UTC).
        stored: what is stored of these bookings, by the invitee's URI.

    """
    return [_without(facts, erased, stored.get(facts.invitee_uri)) for facts in observed]


def _without(facts: Facts, erased: Mapping[str, datetime], stored: Booking | None) -> Facts:
    erased_at = erased.get(normalised(facts.details.invitee.email))
    stored_at = stored.stored_at if stored else None
    covered = erased_at is not None and is_covered(facts, erased_at, stored_at)
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
