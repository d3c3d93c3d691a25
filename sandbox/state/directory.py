"""Users and their organizations, indexed by id and e-mail."""

from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["owner", "admin", "user"]
Plan = Literal["free", "trial", "paid", "enterprise"]

# The values in GET /organizations/{uuid} for each plan: (plan, stage).
PLAN_NAMES: dict[Plan, tuple[str, str]] = {
    "free": ("basic", "free"),
    "trial": ("teams", "trial"),
    "paid": ("professional", "paid"),
    "enterprise": ("enterprise", "paid"),
}


class BusyInterval(msgspec.Struct, frozen=True):
    """A time that a calendar outside Calendly, or a hold, keeps taken; UNIX seconds."""

    start: int
    end: int
    kind: Literal["external", "reserved"] = "external"


class Organization(msgspec.Struct, eq=False, kw_only=True):
    """An organization; single users have one of their own."""

    uuid: str
    number: int
    name: str
    kind: Literal["single", "multiple"]
    plan: Plan
    created_at: datetime
    updated_at: datetime
    members: list["User"] = msgspec.field(default_factory=list)


class User(msgspec.Struct, eq=False, kw_only=True):
    """A Calendly account and its membership of its current organization."""

    uuid: str
    membership_uuid: str
    name: str
    email: str
    slug: str
    timezone: str
    organization: Organization
    role: Role
    created_at: datetime
    updated_at: datetime
    calendar_broken: bool = False
    busy: list[BusyInterval] = msgspec.field(default_factory=list)

    @property
    def administers(self) -> bool:
        """Whether the role opens organization-wide reads and hooks."""
        return self.role in ("owner", "admin")

    @property
    def plan(self) -> Plan:
        """The plan of the organization."""
        return self.organization.plan


class Directory:
    """All users and organizations."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.organizations: dict[str, Organization] = {}
        self.memberships: dict[str, User] = {}
        self._by_email: dict[str, User] = {}

    def add(self, user: User) -> None:
        """Enter a user and, on first sight, the organization.

        Raises ValueError when the e-mail is taken.
        """
        if user.email in self._by_email:
            raise ValueError(f"a user with the e-mail {user.email} exists")
        self.users[user.uuid] = user
        self.memberships[user.membership_uuid] = user
        self._by_email[user.email] = user
        self.organizations.setdefault(user.organization.uuid, user.organization)
        user.organization.members.append(user)

    def find(self, key: str) -> User | None:
        """A user by id, e-mail, or any URI that ends in the id."""
        return self._by_email.get(key) or self.users.get(key.rsplit("/", 1)[-1])
