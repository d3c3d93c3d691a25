"""Whose an event type is, and where its meetings take place.

Everything an event type says has a default in `domain.availability`, so that what an earlier
version of the service has cached goes on being readable.
"""

import msgspec

from domain.redacted_repr import RedactedRepr


class Profile(msgspec.Struct, frozen=True):
    """The page that an event type is on.

    Args:
        kind: `User` or `Team`.
        name: of the user or team.
        owner: its Calendly URI.

    """

    kind: str
    name: str
    owner: str | None = None


class Place(RedactedRepr, msgspec.Struct, frozen=True):
    """A place that an event type offers; addresses and numbers are the host's own.

    Args:
        kind: what it is, such as `physical` or `zoom_conference`.
        location: an address, or what the host wrote.
        additional_info: what the host adds to it.
        phone_number: the host's, where the invitee calls.

    """

    shown = ("kind",)
    kind: str
    location: str | None = None
    additional_info: str | None = None
    phone_number: str | None = None
