from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.settings import SettingsError
from adapters.web.app import build_app
from adapters.web.pages.local_times import ago, local_clock
from application.integrations.view_integration import ActionRequired
from domain.availability import Slot
from domain.booking import BookingStatus
from domain.cache_policy import Freshness
from domain.errors import CalendlyUnavailable, JobsUnavailable, StorageUnavailable
from domain.ids import UserId
from domain.integration import Status
from tests.adapters.sound_environ import SECRETS
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import Client, serving, settings_with


def never_opened(_settings: object) -> Any:
    """An application that is refused opens no service."""
    raise AssertionError


SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def demo() -> StandInServices:
    """Services with a demo user."""
    return StandInServices(
        settings_with(
            DEMO_USER="demo",
            PUBLIC_URL="http://127.0.0.1:8000",
            TEMPORAL_UI_URL="http://127.0.0.1:8233",
            SANDBOX_URL="http://127.0.0.1:9000",
        )
    )


@pytest.fixture
async def browser(demo: StandInServices) -> AsyncIterator[Client]:
    """A client of an application with a demo user."""
    async with serving(demo) as client:
        yield client


@pytest.fixture
async def user(demo: StandInServices) -> UserId:
    """The demo user, connected, with one booking to come and one canceled that is past."""
    user = await demo.identify_caller.named("demo")
    demo.host.integrations[user] = scenario.integration()
    demo.bookings.add(scenario.booking(3, user))
    return user


@pytest.mark.parametrize("public_url", ["https://slots.example.com", "https://192.168.0.7:8000"])
def test_a_demo_user_is_refused_where_others_reach_it(public_url: str) -> None:
    """The service does not start with a page that any visitor could use to act."""
    with pytest.raises(
        SettingsError, match="DEMO_USER is set, but PUBLIC_URL is not this machine"
    ):
        build_app(settings_with(DEMO_USER="demo", PUBLIC_URL=public_url), never_opened)


@pytest.mark.usefixtures("user")
async def test_a_rebound_host_name_sees_nothing(browser: Client) -> None:
    """A site that points its own name here (DNS rebinding) gets no demo user and no button."""
    rebound = {"Host": "evil.example.com"}

    page = await browser.get("/", headers=rebound)
    connect = await browser.get("/demo/connect", headers=rebound, follow_redirects=False)
    disconnect = await browser.post(
        "/demo/disconnect", headers={**rebound, "Sec-Fetch-Site": "same-origin"}
    )

    assert "Ada Example" not in page.text
    assert (page.status_code, connect.status_code, disconnect.status_code) == (200, 403, 403)


async def test_a_button_that_fails_shows_a_page(browser: Client, demo: StandInServices) -> None:
    """A button that fails shows the reason, with a way back."""
    demo.fail_next("request_disconnect", JobsUnavailable("Temporal does not answer."))

    answer = await browser.post(
        "/demo/disconnect", headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    )

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "Temporal does not answer." in answer.text
    assert 'href="/"' in answer.text


@pytest.mark.parametrize("path", ["/", "/schema", "/health/live", "/static/slotkeeper.css"])
async def test_head_works_where_get_does(browser: Client, path: str) -> None:
    """HEAD has the status and the headers of GET, and no body (RFC 9110, 9.3.2)."""
    head, get = await browser.head(path), await browser.get(path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


async def test_head_acts_nowhere(browser: Client, demo: StandInServices) -> None:
    """A link checker's HEAD begins and spends no connect flow."""
    answer = await browser.head("/demo/connect")

    assert answer.status_code == 405
    assert demo.connect.flows == {}


async def test_without_a_demo_user_no_data_is_shown(
    client: Client, services: StandInServices
) -> None:
    """Without DEMO_USER the page shows the status and the next steps, and no user's data."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()

    answer = await client.get("/")

    assert answer.status_code == 200
    assert ">Status<" in answer.text
    assert "/schema" in answer.text
    assert "Ada Example" not in answer.text
    assert "/demo/" not in answer.text


@pytest.mark.parametrize(("method", "path"), [("GET", "connect"), ("POST", "disconnect")])
async def test_without_a_demo_user_there_are_no_buttons(
    client: Client, method: str, path: str
) -> None:
    """Without DEMO_USER the addresses behind the buttons do not exist."""
    answer = await client.request(method, f"/demo/{path}")

    assert answer.status_code == 404


async def test_a_newcomer_sees_a_connect_button(browser: Client) -> None:
    """Before connecting, the page offers to connect and links to everything else."""
    answer = await browser.get("/")

    assert 'href="http://127.0.0.1:8000/demo/connect"' in answer.text
    assert "http://127.0.0.1:8233" in answer.text
    assert "http://127.0.0.1:9000" in answer.text
    assert "curl -H" in answer.text


async def test_the_button_begins_a_flow_bound_to_the_browser(
    browser: Client, demo: StandInServices
) -> None:
    """The connect button begins a flow of the demo user that ends on the page."""
    answer = await browser.get("/demo/connect", follow_redirects=False)

    flow = demo.connect.flows["state-1"]
    assert answer.status_code == 302
    assert "slotkeeper_connect_" in answer.headers["set-cookie"]
    assert (flow.return_to, flow.user_id) == ("/", demo.identify_caller.users["demo"])


@pytest.mark.usefixtures("user")
async def test_a_connected_user_sees_slots_and_bookings(browser: Client) -> None:
    """The page shows the account, its free slots by day in the host's timezone, and bookings."""
    answer = await browser.get("/")

    for text in ("Ada Example", "Intro call", "Tue 1 Dec", "15:00", "Wed 2 Dec", "16:00"):
        assert text in answer.text
    for text in ("Grace Sample", "Europe/Berlin", "fetched 1 minute ago", "Disconnect"):
        assert text in answer.text


async def test_past_and_canceled_bookings_are_marked(
    browser: Client, demo: StandInServices, user: UserId
) -> None:
    """Bookings of the last two weeks are listed with their result."""
    demo.bookings.add(
        scenario.booking(-5, user, status=BookingStatus.CANCELED, name="Past Person")
    )

    answer = await browser.get("/")

    assert "Past Person" in answer.text
    assert "canceled" in answer.text


async def test_each_event_type_has_its_slots(
    browser: Client, demo: StandInServices, user: UserId
) -> None:
    """A link per event type shows that one's slots; a name that is none shows the first."""
    del user
    other = scenario.event_type("Long talk", "https://api.calendly.com/event_types/long")
    demo.host.event_types = (scenario.event_type(), other)

    chosen = await browser.get("/", params={"event_type": "long"})
    unknown = await browser.get("/", params={"event_type": "nothing"})

    assert '/?event_type=long#slots" aria-current="page"' in chosen.text
    assert '/?event_type=intro#slots" aria-current="page"' in unknown.text


async def test_what_comes_from_data_is_escaped(
    browser: Client, demo: StandInServices, user: UserId
) -> None:
    """Names and queries cannot put markup into the page, and the page runs no script."""
    demo.host.event_types = (scenario.event_type(SCRIPT, f"https://x.example/{SCRIPT}"),)
    demo.bookings.add(scenario.booking(4, user, name=SCRIPT))

    answer = await browser.get("/", params={"calendly": SCRIPT, "event_type": SCRIPT})

    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("confirm", "POST /api/calendly/connect/confirm"),
        ("connected", "Connected."),
        ("disconnected", "Disconnecting."),
        ("consent_denied", "Consent denied."),
    ],
)
async def test_the_outcome_of_a_flow_is_shown(browser: Client, outcome: str, words: str) -> None:
    """Coming back from Calendly, the page says how it went."""
    answer = await browser.get("/", params={"calendly": outcome})

    assert words in answer.text


async def test_an_error_leaves_the_rest_of_the_page(
    browser: Client, demo: StandInServices, user: UserId
) -> None:
    """A part that cannot be read shows the reason, and all other parts are shown."""
    del user
    demo.fail_next("read_event_types", CalendlyUnavailable("Calendly does not answer."))

    answer = await browser.get("/")

    assert answer.status_code == 200
    assert "Calendly does not answer." in answer.text
    assert "Grace Sample" in answer.text


async def test_without_a_database_the_page_names_the_problem(
    browser: Client, demo: StandInServices
) -> None:
    """While the database is unavailable the page still responds and names the problem."""
    demo.storage.down = True
    demo.fail_next("view_integration", StorageUnavailable("PostgreSQL cannot be reached."))

    answer = await browser.get("/")

    assert answer.status_code == 200
    assert "PostgreSQL cannot be reached at DATABASE_URL." in answer.text


async def test_a_lost_grant_offers_to_connect_again(
    browser: Client, demo: StandInServices, user: UserId
) -> None:
    """A connection that needs a person says what to do and offers it."""
    demo.host.integrations[user] = scenario.integration(
        status=Status.REAUTH_REQUIRED,
        action_required=ActionRequired("grant_refused", None, "Connect it again.", None),
    )

    answer = await browser.get("/")

    assert "Connect it again." in answer.text
    assert "Connect again</a>" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8000"},
        {"Origin": "http://127.0.0.1:8000"},
    ],
)
async def test_the_page_can_disconnect(
    browser: Client, demo: StandInServices, user: UserId, headers: dict[str, str]
) -> None:
    """The disconnect button ends the demo user's connection and leads back to the page."""
    answer = await browser.post("/demo/disconnect", headers=headers, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/?calendly=disconnected")
    assert user not in demo.host.integrations


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_cannot_disconnect(
    browser: Client, demo: StandInServices, user: UserId, headers: dict[str, str]
) -> None:
    """A form that another site posts is refused."""
    answer = await browser.post("/demo/disconnect", headers=headers, follow_redirects=False)

    assert answer.status_code == 403
    assert user in demo.host.integrations


@pytest.mark.usefixtures("user")
async def test_no_secret_is_in_any_answer(browser: Client) -> None:
    """No page, document or metric contains a secret of the configuration or of a booking."""
    secrets = {part for each in SECRETS.values() for part in each.replace(",", " ").split()}
    paths = ("/", "/schema", "/schema/openapi.json", "/metrics", "/health/ready")

    shown = "".join([(await browser.get(path)).text for path in paths])

    assert not [each for each in secrets | {"cancel-s3cret", "move-s3cret"} if each in shown]
    assert "grace@example.com" not in (await browser.get("/")).text


async def test_the_style_sheet_is_served(browser: Client) -> None:
    """The page's one style sheet comes from here and may be cached."""
    answer = await browser.get("/static/slotkeeper.css")

    assert answer.headers["content-type"].startswith("text/css")
    assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("freshness", "words"),
    [
        (Freshness.FRESH, ">fresh<"),
        (Freshness.STALE, ">being refreshed<"),
        (Freshness.INVALIDATED, ">changed, being refreshed<"),
        (Freshness.EXPIRED, ">last known, Calendly is unavailable<"),
    ],
)
@pytest.mark.usefixtures("user")
async def test_the_page_shows_the_freshness_of_slots(
    browser: Client, demo: StandInServices, freshness: Freshness, words: str
) -> None:
    """Slots come with their age and with what it means, in words."""
    demo.cache.freshness = freshness

    answer = await browser.get("/")

    assert words in answer.text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (0, "just now"),
        (1, "1 second ago"),
        (119, "1 minute ago"),
        (7200, "2 hours ago"),
        (90_000, "1 day ago"),
    ],
)
def test_an_age_is_shown_in_its_largest_unit(seconds: int, words: str) -> None:
    """The time since a moment is in its largest unit."""
    assert ago(scenario.NOW - timedelta(seconds=seconds), scenario.NOW) == words


def test_the_hour_that_comes_twice_is_named() -> None:
    """When clocks go back, a time that comes twice says which of the two it is."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    starts = (first, first + timedelta(hours=1), first + timedelta(hours=2))

    days = local_clock("Europe/Berlin").by_day([Slot(each, 1, "https://s") for each in starts])

    assert days == (("Sun 25 Oct", ("02:30 CEST", "02:30 CET", "03:30")),)


def test_a_timezone_that_is_not_known_is_read_as_utc() -> None:
    """An account's timezone that this machine lacks does not break the page."""
    face = local_clock("Moon/Crater")

    assert face.moment(datetime(2026, 12, 3, 14, 30, tzinfo=UTC)) == "Thu 3 Dec, 14:30"


async def test_the_page_leaks_no_address_but_knows_itself(browser: Client) -> None:
    """The page sends no referrer to other sites, and its own form can be distinguished."""
    answer = await browser.get("/")

    assert answer.headers["referrer-policy"] == "same-origin"
