"""A sandbox that is kept from run to run."""

import stat
import time
from pathlib import Path
from typing import Any

from sandbox.acts.booking import Booker, book
from sandbox.acts.rescheduling import reschedule
from sandbox.deliveries.outbox import Delivery
from sandbox.oauth.grants import TokenPair
from sandbox.settings import Settings
from sandbox.state.subscriptions import Subscription
from sandbox.state_file import _GraphPickler, load, save
from sandbox.world import World

SETTINGS = Settings(users=3)


class OlderPickler(_GraphPickler):
    """Writes token pairs as they were before they counted how often they were shown again."""

    def reducer_override(self, obj: Any) -> Any:
        """Leave the field out."""
        made = super().reducer_override(obj)
        if isinstance(obj, TokenPair):
            made[2].pop("shown_again")
        return made


def lived_in() -> World:
    """A world with a grant, a hook, a rescheduled booking and deliveries that wait."""
    world = World(SETTINGS)
    ada = world.directory.find("ada@example.com")
    assert ada is not None
    pair = world.grants.open_grant(
        world.grants.apps[SETTINGS.client_id], ada, ("scheduled_events:write",)
    )
    now = world.clock.now()
    hook = Subscription(
        uuid="hook",
        app=pair.grant.app,
        creator=ada,
        callback_url="http://127.0.0.1:9/",
        events=("invitee.created", "invitee.canceled"),
        scope="user",
        organization=ada.organization,
        user=ada,
        signing_key=None,
        created_at=now,
        updated_at=now,
    )
    world.subscriptions.add(hook)
    event_type = world.catalogue.of(ada)[1]
    start = int(time.time())
    first, second, *_ = world.diary.slots(event_type, start, start + 7 * 86400)
    invitee = book(world, event_type, first.start, Booker(name="Iris", email="iris@example.net"))
    reschedule(world, invitee, second.start, None)
    return world


def taken(world: World) -> Delivery:
    """The next due delivery."""
    delivery = world.outbox.take_due(world.clock.now())
    assert delivery is not None
    return delivery


def test_grants_bookings_hooks_and_waiting_deliveries_are_kept(tmp_path: Path) -> None:
    """The kept refresh token works, the reschedule is still linked, deliveries still wait."""
    before = lived_in()
    [refresh] = before.grants.by_refresh
    save(before, tmp_path / "state")
    after = load(SETTINGS, tmp_path / "state")
    assert after is not None
    pair = after.grants.refresh(after.grants.apps[SETTINGS.client_id], refresh)
    old, new = after.bookings.invitees.values()

    assert pair.grant.user is after.directory.find("ada@example.com")
    assert (old.new, new.old, old.status, new.status) == (new, old, "canceled", "active")
    assert list(after.bookings.events) == list(before.bookings.events)
    assert after.subscriptions.find("hook") is not None
    assert len(after.outbox.pending) == 3
    assert after.issued.invitee_emails == {"iris@example.net": None}


def test_a_delivery_under_way_is_sent_again(tmp_path: Path) -> None:
    """A delivery in flight when the sandbox ended is due in the next run."""
    before = lived_in()
    under_way = taken(before)
    save(before, tmp_path / "state")
    after = load(SETTINGS, tmp_path / "state")
    assert after is not None

    assert under_way.uuid in {taken(after).uuid for _ in range(3)}


def test_a_state_of_other_settings_or_a_broken_file_is_not_loaded(tmp_path: Path) -> None:
    """Nothing is loaded that was made for another set-up, or that cannot be read."""
    path = tmp_path / "state"
    absent = load(SETTINGS, path)
    save(lived_in(), path)
    other = load(Settings(users=4), path)
    path.write_bytes(b"not a pickle")

    assert (absent, other, load(SETTINGS, path)) == (None, None, None)


def test_a_file_of_another_version_is_not_loaded(tmp_path: Path) -> None:
    """A file from before an object had all its fields is not loaded."""
    with (tmp_path / "state").open("wb") as file:
        OlderPickler(file).dump(lived_in())

    assert load(SETTINGS, tmp_path / "state") is None


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It holds live tokens."""
    save(lived_in(), tmp_path / "state")

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["state"]
