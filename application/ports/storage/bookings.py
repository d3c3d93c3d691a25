"""The store of bookings."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from domain.availability import Window
from domain.booking import Booking, BookingStatus
from domain.ids import BookingId, IntegrationId, UserId
from domain.integration import Integration


class BookingQuery(msgspec.Struct, frozen=True):
    """Which bookings of a user to list, by ascending (start, id).

    Args:
        statuses: none means any.
        starts_from: start at or after this (UTC).
        starts_before: start before this (UTC).
        after: keyset: (start, id) of the last row already seen.
        limit: rows at most.

    """

    limit: int
    statuses: tuple[BookingStatus, ...] = ()
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    after: tuple[datetime, BookingId] | None = None


class Owner(msgspec.Struct, frozen=True):
    """The part of an integration that merging facts into its bookings needs."""

    id: IntegrationId
    user_id: UserId
    account_uri: str

    @classmethod
    def of(cls, integration: Integration) -> "Owner":
        """Return the owner of this integration's bookings."""
        return cls(integration.id, integration.user_id, integration.account.user_uri)


class Holder(NamedTuple):
    """Who has a booking; `hosts` unless it is known here to have been given away."""

    owner: Owner
    hosts: bool


class Bookings(Protocol):
    """Bookings by invitee URI (Calendly's identity) and by our own id.

    A user's bookings are those of the integration that Integrations.for_user returns: what an
    account left behind is not shown beside the one that took its place. Of these, what was given
    to another host (`domain.booking.is_hosted_by`) is kept and shown to nobody.
    """

    async def lock(
        self, integration_ids: Sequence[IntegrationId], account_uris: Sequence[str]
    ) -> Sequence[Owner]:
        """Lock the booking facts of the integrations with these ids or Calendly users.

        Until the transaction ends no other transaction merges facts into their bookings, so the
        two halves of a reschedule cannot miss each other. None of the integrations is erased.

        Returns:
            The owners by ascending id. An unknown id or user adds none.

        """
        ...

    async def related(
        self, named: Mapping[IntegrationId, Collection[str]]
    ) -> Mapping[IntegrationId, Mapping[str, Booking]]:
        """Return and lock, in one sorted order, the bookings to merge facts into.

        Args:
            named: invitee URIs by integration; the transaction has locked these integrations.

        Returns:
            By integration and invitee URI: the bookings of the named invitees, and those that
            name one of them as their predecessor or successor.

        """
        ...

    async def held_elsewhere(
        self, integration_id: IntegrationId, invitee_uris: Sequence[str]
    ) -> Mapping[str, Sequence[Holder]]:
        """Return which colleagues have bookings of these invitees, by invitee URI; locks nothing.

        A colleague is the owner of an integration of the same Calendly organization who is not
        leaving.
        """
        ...

    async def standing(
        self, integration_id: IntegrationId, span: Window, made_before: datetime
    ) -> Mapping[str, str]:
        """Return what stands of an integration's bookings: the event's URI by the invitee's.

        Those that start within the span, were made at Calendly before this moment (UTC), and were
        not given to another host.
        """
        ...

    async def put(self, bookings: Sequence[Booking]) -> None:
        """Insert or replace bookings by (integration, invitee URI); a link once stored stays.

        A link that could not be opened was read as none, and must not be lost by that.
        """
        ...

    async def find(self, user_id: UserId, booking_id: BookingId) -> Booking | None:
        """Return a user's booking, or None when it is absent or another user's.

        One that Calendly gave to another host is found still: who booked it may ask again.
        """
        ...

    async def by_invitee(self, user_id: UserId, invitee_uri: str) -> Booking | None:
        """Return a user's booking of one invitee, or None.

        Of two integrations that both have it the current one counts; what only one that is
        leaving has is found too, so that a command which outlived its account ends well.
        """
        ...

    async def by_invitees(
        self, user_id: UserId, invitee_uris: Sequence[str]
    ) -> Mapping[str, BookingId]:
        """Return the ids of a user's bookings by invitee URI; unknown ones are left out."""
        ...

    async def page(self, user_id: UserId, query: BookingQuery) -> Sequence[Booking]:
        """Return up to `limit` bookings after the keyset position."""
        ...
