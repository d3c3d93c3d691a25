from adapters.calendly.subscriptions import CalendlySubscriptionsGateway
from domain.integration import Account
from domain.secret import Secret
from domain.subscription import ActualSubscription
from tests.adapters.calendly.support import (
    ACCESS,
    API_URL,
    Wire,
    answer,
    query,
    refusal,
    resource,
    sent_json,
)
from tests.fakes.calendly import bodies

HOOK = f"{bodies.API}/webhook_subscriptions/HOOK0001"
ACCOUNT = Account(
    user_uri=bodies.USER,
    organization_uri=bodies.ORGANIZATION,
    name="Ada Host",
    email="host@example.com",
    timezone="Europe/Zurich",
    scheduling_url="https://calendly.com/ada",
)


async def test_all_pages_of_the_users_subscriptions_are_listed() -> None:
    """The list is asked for the user's scope and followed to its end."""
    other = bodies.subscription(
        uri=f"{HOOK}2", state="disabled", retry_started_at="2026-11-01T00:00:00.000000Z"
    )
    wire = Wire(
        answer(200, bodies.page(bodies.subscription(), next_page_token="next-1")),
        answer(200, bodies.page(other)),
    )

    found = await CalendlySubscriptionsGateway(wire.api).all(ACCESS, ACCOUNT)

    events = ("invitee.created", "invitee.canceled")
    url = "https://slots.example/api/calendly/webhooks/key-1"
    assert found == [
        ActualSubscription(HOOK, url, "active", events),
        ActualSubscription(f"{HOOK}2", url, "disabled", events, "2026-11-01T00:00:00.000000Z"),
    ]
    asked = {
        "organization": bodies.ORGANIZATION,
        "user": bodies.USER,
        "scope": "user",
        "count": "100",
    }
    assert [query(each) for each in wire.requests] == [asked, asked | {"page_token": "next-1"}]


async def test_a_subscription_is_created_for_the_user() -> None:
    """Creating names the organization too, although the scope is the user's."""
    wire = Wire(resource(bodies.subscription(), 201))

    made = await CalendlySubscriptionsGateway(wire.api).create(
        ACCESS, ACCOUNT, "https://slots.example/hook", ("invitee.created",), Secret("its-own")
    )

    assert made.uri == HOOK
    assert (wire.request.method, wire.request.url.path) == ("POST", "/webhook_subscriptions")
    assert wire.request.headers["content-type"] == "application/json"
    assert sent_json(wire.request) == {
        "url": "https://slots.example/hook",
        "events": ["invitee.created"],
        "signing_key": "its-own",
        "organization": bodies.ORGANIZATION,
        "user": bodies.USER,
        "scope": "user",
    }


async def test_a_calendly_that_takes_no_key_from_us_is_asked_without() -> None:
    """If Calendly refuses our signing key, the subscription is made without one."""
    wire = Wire(refusal(400, "Invalid Argument"), resource(bodies.subscription(), 201))

    made = await CalendlySubscriptionsGateway(wire.api).create(
        ACCESS, ACCOUNT, "https://slots.example/hook", ("invitee.created",), Secret("its-own")
    )

    assert made.uri == HOOK
    assert ["signing_key" in sent_json(each) for each in wire.requests] == [True, False]


async def test_a_deleted_subscription_may_be_deleted_again() -> None:
    """204 and 404 both mean that the subscription is gone."""
    wire = Wire(answer(204), refusal(404, "Resource Not Found"))
    gateway = CalendlySubscriptionsGateway(wire.api)

    await gateway.delete(ACCESS, HOOK)
    await gateway.delete(ACCESS, HOOK)

    assert [(each.method, str(each.url)) for each in wire.requests] == [
        ("DELETE", f"{API_URL}/webhook_subscriptions/HOOK0001")
    ] * 2


async def test_one_subscription_is_read_by_its_name() -> None:
    """One that the list does not show yet is found by its URI; one that is gone is none."""
    wire = Wire(resource(bodies.subscription()), refusal(404, "Resource Not Found"))
    gateway = CalendlySubscriptionsGateway(wire.api)

    found, gone = [await gateway.subscription(ACCESS, HOOK) for _ in range(2)]

    assert found is not None
    assert (found.uri, found.state) == (HOOK, "active")
    assert gone is None
    assert wire.requests[0].url.path == "/webhook_subscriptions/HOOK0001"
