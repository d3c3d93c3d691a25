import pytest

from domain.errors import CalendlyConflict
from domain.secret import Secret
from domain.subscription import USER_EVENTS
from tests.contracts.calendly.stage import Stage, access_of

URL = "https://slots.example/api/calendly/webhooks/key-1"
OWN = Secret("a-key-of-its-own")


async def test_a_subscription_is_created_and_listed(stage: Stage) -> None:
    """A new subscription is active, has the events asked for, and is in the list."""
    access = await access_of(stage)

    made = await stage.subscriptions.create(access, stage.account, URL, USER_EVENTS, OWN)

    assert (made.callback_url, made.state, made.retry_started_at) == (URL, "active", None)
    assert set(made.events) == set(USER_EVENTS)
    assert await stage.subscriptions.all(access, stage.account) == [made]


async def test_a_callback_url_is_subscribed_once(stage: Stage) -> None:
    """A second subscription with the same address is a conflict, another address is none."""
    access = await access_of(stage)
    await stage.subscriptions.create(access, stage.account, URL, USER_EVENTS, OWN)

    with pytest.raises(CalendlyConflict):
        await stage.subscriptions.create(access, stage.account, URL, USER_EVENTS, OWN)
    await stage.subscriptions.create(access, stage.account, f"{URL}2", USER_EVENTS, OWN)

    assert len(await stage.subscriptions.all(access, stage.account)) == 2


async def test_a_deleted_subscription_may_be_deleted_again(stage: Stage) -> None:
    """Deleting frees the address; deleting twice is not an error."""
    access = await access_of(stage)
    made = await stage.subscriptions.create(access, stage.account, URL, USER_EVENTS, OWN)

    await stage.subscriptions.delete(access, made.uri)
    await stage.subscriptions.delete(access, made.uri)

    assert await stage.subscriptions.all(access, stage.account) == []
    anew = await stage.subscriptions.create(access, stage.account, URL, USER_EVENTS, OWN)
    assert anew.uri != made.uri


async def test_a_subscription_is_read_by_its_name(stage: Stage) -> None:
    """A created subscription can be read back alone; a deleted one reads as none."""
    access = await access_of(stage)
    made = await stage.subscriptions.create(access, stage.account, URL, USER_EVENTS, OWN)

    found = await stage.subscriptions.subscription(access, made.uri)
    await stage.subscriptions.delete(access, made.uri)

    assert found == made
    assert await stage.subscriptions.subscription(access, made.uri) is None
