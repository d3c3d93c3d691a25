"""One Calendly account in the sandbox's records, as the template of any other account.

Every id and address of the template contains `TAG` in place of eight characters of a real account.
"""

from datetime import UTC, datetime
from itertools import count

from sandbox.settings import Settings
from sandbox.state.directory import User
from sandbox.state.event_types import EventType
from sandbox.state.seed import AccountMaker, Newcomer, Offer
from sandbox.world import World

TAG = "xxxxxxxx"
_SINCE = datetime(2026, 5, 12, 12, 34, 8, 231012, tzinfo=UTC)
_MINUTES = {"30min": 30, "interview": 45, "consultation": 60, "demo": 60, "office-hours": 30}


def _add_account(world: World) -> User:
    numbers = count()
    make = AccountMaker(
        world.directory,
        world.catalogue,
        world.schedules,
        lambda: f"{TAG}-0000-4000-8000-{next(numbers):012x}",
        _SINCE,
    )
    offers = tuple(Offer(name=name, duration=each) for name, each in _MINUTES.items())
    return make(Newcomer(name="Host", email=f"host-{TAG}@example.com", timezone="UTC"), offers)


WORLD = World(Settings())
ACCOUNT = _add_account(WORLD)
ACCOUNT_URI = WORLD.uri("users", ACCOUNT.uuid)
EVENT_TYPES: list[EventType] = WORLD.catalogue.of(ACCOUNT)
