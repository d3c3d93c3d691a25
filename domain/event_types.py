"""The owner of an event type, and the places of its meetings.

Newer fields of an event type have defaults in `domain.availability`, so that entries which an
earlier version of the service cached stay readable.
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
        kind: the kind of place, for example `physical` or `zoom_conference`.
        location: an address, or the host's own text.
        additional_info: the host's remark.
        phone_number: the host's number, which the invitee calls.

    """

    shown = ("kind",)
    kind: str
    location: str | None = None
    additional_info: str | None = None
    phone_number: str | None = None
