"""The control surface: clock, switches, users, secrets, summary, reset."""

from datetime import UTC, datetime

import pytest

from sandbox.settings import Settings
from sandbox.world import World
from tests.sandbox.client import Sandbox, tail


async def test_it_says_when_it_is_ready(sandbox: Sandbox) -> None:
    """The health path needs no token."""
    assert await sandbox.control("GET", "/health") == {"status": "ok"}


async def test_the_clock_moves_and_returns(sandbox: Sandbox) -> None:
    """Moving adds, setting jumps, resetting returns to real time."""
    moved = await sandbox.control("POST", "/clock", move_seconds=3600)
    jumped = await sandbox.control("POST", "/clock", now="2030-01-01T00:00:00Z")
    back = await sandbox.control("POST", "/clock", reset=True)

    assert 3599 < moved["offset_seconds"] < 3601
    assert jumped["now"].startswith("2030-01-01T00:00:0")
    assert back["offset_seconds"] == 0
    assert abs(datetime.fromisoformat(back["now"]) - datetime.now(UTC)).total_seconds() < 5


async def test_switches_are_read_and_set_by_name(sandbox: Sandbox) -> None:
    """A named switch changes, the others stay; an unknown name or value is refused."""
    before = await sandbox.control("GET", "/switches")
    after = await sandbox.control("PATCH", "/switches", id_style="short")
    wrong = [
        await sandbox.http.patch("/_control/switches", json=body)
        for body in ({"weather": "fine"}, {"id_style": "long"})
    ]

    assert after == before | {"id_style": "short"}
    assert [answer.status_code for answer in wrong] == [400, 400]


def test_ten_thousand_users_are_seeded() -> None:
    """Each with three event types, beside the three named users."""
    world = World(Settings(users=10_000))

    assert len(world.directory.users) == 10_003
    assert len(world.catalogue.all) == 30_008
    assert world.directory.find("user-10000@sandbox.example") is not None


def test_the_same_seed_gives_the_same_accounts() -> None:
    """Ids of seeded users and event types do not change from start to start."""
    one, two, other = World(Settings(users=5)), World(Settings(users=5)), World(Settings(seed=2))

    assert list(one.directory.users) == list(two.directory.users)
    assert list(one.catalogue.all) == list(two.catalogue.all)
    assert set(one.directory.users).isdisjoint(other.directory.users)


async def test_users_are_added_one_or_many(sandbox: Sandbox) -> None:
    """One by e-mail, in a colleague's organization if asked; many by count, twice over."""
    one = await sandbox.control(
        "POST", "/users", email="hedy@example.com", organization="ada@example.com", role="admin"
    )
    await sandbox.control("POST", "/users", count=3)
    many = await sandbox.control("POST", "/users", count=2)
    twice = await sandbox.http.post("/_control/users", json={"email": "hedy@example.com"})
    ada = await sandbox.control("GET", "/users/ada@example.com")
    hedy = await sandbox.grant("hedy@example.com")

    assert one["users"][0]["current_organization"] == ada["current_organization"]
    assert len(one["users"][0]["event_types"]) == 3
    assert (many["total"], len(many["users"])) == (9, 2)
    assert many["users"][-1]["email"] == "user-00005@sandbox.example"
    assert twice.status_code == 409
    assert (await sandbox.get(hedy, "/users/me")).json()["resource"]["email"] == hedy.email


async def test_grants_are_made_in_bulk(sandbox: Sandbox) -> None:
    """Every user, or a slice of them, gets a live pair in one call."""
    await sandbox.control("POST", "/users", count=10)
    made = (await sandbox.control("POST", "/grants", count=10, offset=3, scope="users:read"))[
        "grants"
    ]
    headers = {"Authorization": f"Bearer {made[9]['access_token']}"}
    me = await sandbox.http.get("/users/me", headers=headers)

    assert len({grant["user"] for grant in made}) == 10
    assert me.json()["resource"]["email"] == "user-00010@sandbox.example"


async def test_bookings_are_made_in_bulk(sandbox: Sandbox) -> None:
    """Many invitees book the next open slots of many hosts, never the same slot twice."""
    await sandbox.control("POST", "/users", count=3)
    made = await sandbox.control("POST", "/invitees/bulk", count=12)
    shown = (await sandbox.control("GET", "/invitees"))["invitees"]
    places = [
        (i["scheduled_event"]["event_type"], i["scheduled_event"]["start_time"]) for i in shown
    ]

    assert len(made["invitees"]) == 12
    assert len(set(places)) == 12


async def test_every_secret_and_invitee_is_listed(sandbox: Sandbox) -> None:
    """Everything issued can be searched for: tokens, secrets, keys, invitees' and guests' mail."""
    ada = await sandbox.grant()
    await sandbox.book(
        await sandbox.event_type(ada.email, "15 Minute Meeting"),
        email="private@example.net",
        guests=["also-private@example.net"],
    )
    refreshed = (await sandbox.refresh(ada.refresh)).json()
    listed = await sandbox.control("GET", "/secrets")

    assert {ada.access, refreshed["access_token"]} <= set(listed["access_tokens"])
    assert {ada.refresh, refreshed["refresh_token"]} <= set(listed["refresh_tokens"])
    assert "sandbox-secret" in listed["client_secrets"]
    assert "sandbox-signing-key" in listed["signing_keys"]
    assert {"private@example.net", "also-private@example.net"} <= set(listed["invitee_emails"])


async def test_the_summary_counts_requests_by_route(sandbox: Sandbox) -> None:
    """Ids are folded into one label, so that the counts stay few."""
    ada = await sandbox.grant()
    await sandbox.get(ada, "/users/me")
    for uri in ("30 Minute Meeting", "15 Minute Meeting"):
        path = (await sandbox.event_type(ada.email, uri)).removeprefix("https://api.calendly.com")
        await sandbox.get(ada, path)
    summary = await sandbox.control("GET", "")

    assert summary["counters"]["requests"] == {"GET /users/me": 1, "GET /event_types/{id}": 2}
    assert summary["counters"]["statuses"] == {"200": 3}
    assert summary["users"] == 3


async def test_a_reset_begins_again(sandbox: Sandbox) -> None:
    """Tokens, bookings, faults, switches and clock are as after the start."""
    ada = await sandbox.grant()
    await sandbox.book(await sandbox.event_type(ada.email, "15 Minute Meeting"))
    await sandbox.control("PATCH", "/switches", id_style="short")
    await sandbox.control("POST", "/faults", kind="status")
    await sandbox.control("POST", "/reset")
    summary = await sandbox.control("GET", "")

    assert (summary["invitees"], summary["faults"]) == (0, 0)
    assert (await sandbox.control("GET", "/switches"))["id_style"] == "uuid"
    assert (await sandbox.get(ada, "/users/me")).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users/nobody@example.com/grant"),
        ("POST", "/invitees/unknown/cancel"),
        ("POST", "/subscriptions/unknown/disable"),
        ("GET", "/deliveries/unknown"),
        ("DELETE", "/faults/unknown"),
    ],
)
async def test_what_is_not_there_is_404(sandbox: Sandbox, method: str, path: str) -> None:
    """The error says what is missing."""
    body: dict[str, str] | None = {} if method == "POST" else None
    answer = await sandbox.http.request(method, f"/_control{path}", json=body)

    assert answer.status_code == 404
    assert answer.json()["error"].startswith("no such")


async def test_a_body_with_nothing_in_it_may_be_left_out(sandbox: Sandbox) -> None:
    """Granting, moving, canceling and flushing work without one."""
    made = await sandbox.book(await sandbox.event_type("ada@example.com", "15 Minute Meeting"))
    answers = [await sandbox.http.post("/_control/users/ada@example.com/grant")]
    moved = await sandbox.http.post(f"/_control/invitees/{tail(made['uri'])}/reschedule")
    answers += [
        moved,
        await sandbox.http.post(f"/_control/invitees/{tail(moved.json()['uri'])}/cancel"),
        await sandbox.http.post("/_control/deliveries/flush"),
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 200, 200]


async def test_a_closed_or_canceled_slot_cannot_be_acted_on(sandbox: Sandbox) -> None:
    """Booking a closed time and canceling twice are 409."""
    uri = await sandbox.event_type("ada@example.com", "15 Minute Meeting")
    made = await sandbox.book(uri)
    path = f"/_control/invitees/{made['uri'].rsplit('/', 1)[-1]}/cancel"
    closed = await sandbox.http.post(
        "/_control/invitees", json={"event_type": uri, "start_time": "2026-12-06T03:00:00Z"}
    )
    twice = [await sandbox.http.post(path, json={}) for _ in range(2)]

    assert closed.status_code == 409
    assert [answer.status_code for answer in twice] == [200, 409]


async def test_a_person_who_opens_the_address_sees_a_page(sandbox: Sandbox) -> None:
    """The sandbox's address is a page that names who is there; its API still asks for a token."""
    page = await sandbox.http.get("/")
    manual = await sandbox.http.get("/_control/readme")
    api = await sandbox.http.get("/users/me")

    assert page.headers["content-type"].startswith("text/html")
    assert "ada@example.com" in page.text
    assert "/_control/users/ada@example.com/expire-access-tokens" in page.text
    assert manual.text.startswith("# The sandbox Calendly")
    assert api.status_code == 401


async def test_tokens_are_looked_up_in_bulk(sandbox: Sandbox) -> None:
    """The state of a token shows whether it is valid, and the history of its grant."""
    ada, grace = await sandbox.grant(), await sandbox.grant("grace@example.com")
    newer = (await sandbox.refresh(ada.refresh)).json()["refresh_token"]
    await sandbox.refresh(ada.refresh)
    await sandbox.control("POST", "/users/grace@example.com/revoke")
    asked = [ada.refresh, newer, grace.refresh, "unknown"]
    spent, live, revoked, unknown = (
        await sandbox.control("POST", "/tokens/standing", refresh_tokens=asked)
    )["tokens"]

    assert spent == live | {"honoured": False, "newest": False}
    assert (live["honoured"], live["newest"], live["grant_honoured"]) == (True, True, True)
    assert (live["exchanges"], live["reused"]) == (1, 1)
    assert (revoked["honoured"], revoked["newest"], revoked["grant_honoured"]) == (
        False,
        True,
        False,
    )
    assert unknown is None


async def test_all_access_tokens_expire_at_once(sandbox: Sandbox) -> None:
    """Afterwards no access token is valid, and every refresh token still is."""
    ada = await sandbox.grant()
    expired = await sandbox.control("POST", "/tokens/expire")

    assert expired == {"expired": 1}
    assert (await sandbox.get(ada, "/users/me")).status_code == 401
    assert (await sandbox.refresh(ada.refresh)).status_code == 200
