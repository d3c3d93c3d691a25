"""The state of the fake Calendly, and the rights to read it."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import count

import msgspec

from application.ports.clock import Clock
from domain.availability import BusyTime, EventType, Schedule, Slot
from domain.booking import Facts
from domain.errors import AccessTokenRejected, CalendlyNotFound, ScopeMissing
from domain.integration import Account
from domain.secret import Secret
from domain.subscription import ActualSubscription
from domain.token import Access, missing_scopes
from tests.fakes.calendly.script import Script

API = "https://api.calendly.com"


class Grant(msgspec.Struct):
    """One consent and the chain of pairs that came of it; only `refresh` is alive."""

    user_uri: str
    scopes: tuple[str, ...]
    refresh: str
    revoked: bool = False


class AccessRecord(msgspec.Struct):
    """One access token: whose, and until when (UTC)."""

    grant: Grant
    expires_at: datetime


class Code(msgspec.Struct):
    """One consent's authorization code."""

    user_uri: str
    scopes: tuple[str, ...]
    challenge: str
    redirect_uri: str
    expires_at: datetime
    used: bool = False


class World(Script):
    """State shared by the six sides of the fake.

    Args:
        clock: the time; tokens and codes die by it.

    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.access_tokens: dict[str, AccessRecord] = {}
        self.token_requests: defaultdict[str, list[datetime]] = defaultdict(list)
        self.tokens_per_minute: int | None = 8
        self.types: defaultdict[str, list[EventType]] = defaultdict(list)
        self.slots: defaultdict[str, list[Slot]] = defaultdict(list)
        self.busy: defaultdict[str, list[BusyTime]] = defaultdict(list)
        self.weekly: defaultdict[str, list[Schedule]] = defaultdict(list)
        self.broken_calendars: set[str] = set()
        self.slots_need_calendar = False  # whether a broken calendar refuses open slots too
        self.etags = True  # whether lists name a tag
        self.links: dict[str, str] = {}  # event types by their single-use links
        self.invitees: dict[str, Facts] = {}
        self.unreadable: set[str] = set()  # invitees that come in no known shape
        self.subscriptions: dict[str, tuple[str, ActualSubscription]] = {}
        self.signing_keys: dict[str, Secret] = {}  # of subscriptions
        self.unlisted: set[str] = set()  # subscriptions that the list does not show yet
        self.page_size = 25
        self._numbers = count(1)

    def add_user(self, name: str = "Ada Example", timezone: str = "Europe/Zurich") -> Account:
        """Add a user with an organization of their own."""
        number = self.number()
        account = Account(
            user_uri=f"{API}/users/USER{number:04}",
            organization_uri=f"{API}/organizations/ORG{number:04}",
            name=name,
            email=f"host{number}@example.com",
            timezone=timezone,
            scheduling_url=f"https://calendly.com/host-{number}",
        )
        self.accounts[account.user_uri] = account
        return account

    def number(self) -> int:
        """Return a number never used before."""
        return next(self._numbers)

    def authorize(self, access: Access, *needed: str) -> Account:
        """Return whose token it is.

        Raises:
            AccessTokenRejected: unknown, expired or revoked.
            ScopeMissing: the grant lacks a scope the call needs.

        """
        record = self.access_tokens.get(access.token.reveal())
        if record is None or record.grant.revoked or record.expires_at <= self.clock.now():
            raise AccessTokenRejected("The access token is not valid.")
        missing = missing_scopes(record.grant.scopes, needed)
        if missing:
            raise ScopeMissing("A scope is missing.", required=missing)
        return self.accounts[record.grant.user_uri]

    def expire_access_tokens(self, user_uri: str) -> None:
        """Let every access token of a user be dead now; the refresh token lives."""
        for record in self.access_tokens.values():
            if record.grant.user_uri == user_uri:
                record.expires_at = self.clock.now() - timedelta(seconds=1)

    def revoke_grants(self, user_uri: str) -> None:
        """Do what a user does who removes the app at Calendly."""
        for grant in self.grants:
            if grant.user_uri == user_uri:
                grant.revoked = True


def not_found(what: str) -> CalendlyNotFound:
    """Return what Calendly's 404 becomes."""
    return CalendlyNotFound(f"There is no such {what}.")
