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
        after: keyset position: (start, id) of the last row of the previous page.
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
    """The owner of a stored booking; `hosts` is False if it was reassigned to another host."""

    owner: Owner
    hosts: bool


class Bookings(Protocol):
    """Bookings by invitee URI (Calendly's identity) and by our own id.

    A user's bookings are those of the integration that Integrations.for_user returns. Bookings of
    a replaced account are not shown beside those of the current one. A booking that was reassigned
    to another host (`domain.booking.is_hosted_by`) is kept but not listed.
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
        self,
        named: Mapping[IntegrationId, Collection[str]],
        events: Mapping[IntegrationId, Mapping[str, bool]],
    ) -> Mapping[IntegrationId, Mapping[str, Booking]]:
        """Return and lock, in one sorted order, the bookings to merge facts into.

        Args:
            named: invitee URIs by integration; the transaction has locked these integrations.
            events: by integration and event URI, whether the event is now known to be canceled.

        Returns:
            By integration and invitee URI: the bookings of the named invitees, and those that
            name one of them as their predecessor or successor. Further, all active bookings of a
            canceled event; of another event, one booking that shows it as canceled, if any does.

        """
        ...

    async def held_elsewhere(
        self, integration_id: IntegrationId, invitee_uris: Sequence[str]
    ) -> Mapping[str, Sequence[Holder]]:
        """Return the colleagues with bookings of these invitees, by invitee URI; locks nothing.

        A colleague is the owner of another integration of the same Calendly organization that is
        not being disconnected.
        """
        ...

    async def active_events(
        self, integration_id: IntegrationId, span: Window, made_before: datetime
    ) -> Mapping[str, str]:
        """Return the active bookings of an integration: the event's URI by the invitee's URI.

        They start within the span, were created at Calendly before `made_before` (UTC), and were
        not reassigned to another host.
        """
        ...

    async def put(self, bookings: Sequence[Booking]) -> None:
        """Insert or replace bookings by (integration, invitee URI); a stored link is kept.

        A link that could not be decrypted was read as missing; writing must not remove it.
        """
        ...

    async def find(self, user_id: UserId, booking_id: BookingId) -> Booking | None:
        """Return a user's booking; None if it does not exist or is another user's.

        A booking that was reassigned to another host is found too: its booker may ask again.
        """
        ...

    async def by_invitee(self, user_id: UserId, invitee_uri: str) -> Booking | None:
        """Return a user's booking of one invitee, or None.

        If two integrations have it, the current one counts. A booking of an integration that is
        being disconnected is found too, so that a command can end after its account.
        """
        ...

    async def by_invitees(
        self, user_id: UserId, invitee_uris: Sequence[str]
    ) -> Mapping[str, BookingId]:
        """Return the ids of a user's bookings by invitee URI; unknown URIs are left out."""
        ...

    async def page(self, user_id: UserId, query: BookingQuery) -> Sequence[Booking]:
        """Return up to `limit` bookings after the keyset position."""
        ...
