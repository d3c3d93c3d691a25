"""The accounts a sandbox starts with, and the many that a load test adds.

The same seed gives the same ids, so that a client which kept its data finds its users again.
Bookings are not seeded: an event is created when an invitee books.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from sandbox import ids
from sandbox.state.directory import Directory, Organization, Plan, Role, User
from sandbox.state.event_types import Catalogue, EventType, Question
from sandbox.state.schedules import Schedule, Schedules

_SINCE = datetime(2026, 5, 12, 12, 34, 8, 231012, tzinfo=UTC)
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Africa/Nairobi", "Europe/London")
_PREPARATION = Question(name="Please share anything that will help prepare for our meeting.")
_COMPANY = Question(name="Company", type="string", position=1, required=True)
_MEET = {"kind": "google_conference"}
_OFFICE = {
    "kind": "physical",
    "location": "12 Harbour Street",
    "additional_info": "Ring at the gate",
}


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A seeded event type; durations in minutes."""

    name: str
    duration: int
    seats: int = 1
    location: dict[str, Any] | None = None
    questions: tuple[Question, ...] = ()


THIRTY = Offer(
    name="30 Minute Meeting", duration=30, location=_MEET, questions=(_PREPARATION, _COMPANY)
)
FIFTEEN = Offer(name="15 Minute Meeting", duration=15)
WORKSHOP = Offer(name="Group Workshop", duration=60, seats=5, location=_OFFICE)
OFFERS = (THIRTY, FIFTEEN, WORKSHOP)


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """A user about to be added; without an organization one of its own is made."""

    name: str
    email: str
    timezone: str = "Europe/Berlin"
    plan: Plan = "paid"
    role: Role = "owner"
    organization: Organization | None = None


def seed_named(
    directory: Directory, catalogue: Catalogue, schedules: Schedules, seed: int
) -> None:
    """Ada, who owns an organization; Grace, a member of it; Finn, alone on the Free plan."""
    random = Random(f"named-{seed}")
    add = AccountMaker(directory, catalogue, schedules, _ids(random), _SINCE)
    ada = add(Newcomer(name="Ada Host", email="ada@example.com"), OFFERS)
    ada.organization.name, ada.organization.kind = "Example Engines", "multiple"
    grace = Newcomer(
        name="Grace Member",
        email="grace@example.com",
        timezone="America/New_York",
        role="user",
        organization=ada.organization,
    )
    add(grace, OFFERS)
    free = Newcomer(
        name="Finn Free", email="finn@example.com", timezone="Africa/Nairobi", plan="free"
    )
    add(free, (THIRTY, FIFTEEN))


def seed_many(
    directory: Directory, catalogue: Catalogue, schedules: Schedules, count: int, seed: int
) -> list[User]:
    """`count` paid single users, user-00001@sandbox.example onwards."""
    first = sum(1 for user in directory.users.values() if user.slug.startswith("user-"))
    random = Random(f"many-{seed}-{first}")
    add = AccountMaker(directory, catalogue, schedules, _ids(random), _SINCE)
    return [
        add(
            Newcomer(
                name=f"User {number:05}",
                email=f"user-{number:05}@sandbox.example",
                timezone=_ZONES[number % len(_ZONES)],
            ),
            OFFERS,
        )
        for number in range(first + 1, first + count + 1)
    ]


class AccountMaker:
    """Makes a user with a schedule and event types, and enters all of them."""

    def __init__(
        self,
        directory: Directory,
        catalogue: Catalogue,
        schedules: Schedules,
        make_id: Callable[[], str],
        since: datetime,
    ) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._schedules = schedules
        self._make_id = make_id
        self._since = since

    def __call__(self, newcomer: Newcomer, offers: tuple[Offer, ...]) -> User:
        """Enter the account. Raises ValueError when the e-mail is taken."""
        user = User(
            uuid=self._make_id(),
            membership_uuid=self._make_id(),
            name=newcomer.name,
            email=newcomer.email,
            slug=newcomer.email.split("@")[0],
            timezone=newcomer.timezone,
            organization=newcomer.organization or self._own_organization(newcomer),
            role=newcomer.role,
            created_at=self._since,
            updated_at=self._since,
        )
        self._directory.add(user)
        schedule = Schedule(uuid=self._make_id(), user=user, timezone=newcomer.timezone)
        self._schedules.add(schedule)
        for position, offer in enumerate(offers):
            self.offer(user, offer, position)
        return user

    def offer(self, owner: User, offer: Offer, position: int) -> EventType:
        """Enter one event type of `owner`."""
        event_type = EventType(
            uuid=self._make_id(),
            owner=owner,
            name=offer.name,
            slug=offer.name.lower().replace(" ", "-"),
            duration=offer.duration,
            position=position,
            created_at=self._since,
            updated_at=self._since,
            kind="group" if offer.seats > 1 else "solo",
            seats=offer.seats,
            location=offer.location,
            questions=offer.questions,
        )
        self._catalogue.add(event_type)
        return event_type

    def _own_organization(self, newcomer: Newcomer) -> Organization:
        return Organization(
            uuid=self._make_id(),
            number=len(self._directory.organizations) + 1001,
            name=newcomer.name,
            kind="single",
            plan=newcomer.plan,
            created_at=self._since,
            updated_at=self._since,
        )


def _ids(random: Random) -> Callable[[], str]:
    return lambda: ids.seeded_uuid(random)
