from datetime import timedelta

import pytest

from adapters.calendly.rate_budget import Allowance
from adapters.calendly.wire.accounts import User
from adapters.calendly.wire.envelopes import Resource
from domain.errors import CalendlyNotFound, CalendlyThrottled
from tests.adapters.calendly.support import ACCESS, Wire, answer, refusal, resource
from tests.fakes.calendly import bodies
from tests.fakes.calendly.bodies import USER


async def test_a_spent_budget_sends_nothing() -> None:
    """A request that would only earn a 429 does not leave."""
    wire = Wire(by=lambda _: resource(bodies.user()))
    for _ in range(45):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    with pytest.raises(CalendlyThrottled):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    assert len(wire.requests) == 45


async def test_a_429_of_the_api_is_remembered_as_calendlys_word() -> None:
    """After a 429 the user's calls wait as long as the answer asks."""
    wire = Wire(answer(429, None, x_ratelimit_reset="30"))

    with pytest.raises(CalendlyThrottled):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    assert wire.budget.paused_until(USER) == wire.clock.now() + timedelta(seconds=30)


async def test_a_429_for_bookings_pauses_only_bookings() -> None:
    """A limit of an endpoint's own, such as five bookings a day, holds no other call back."""
    wire = Wire(answer(429, None, retry_after="3600"), resource(bodies.user()))

    with pytest.raises(CalendlyThrottled):
        await wire.api.post(ACCESS, "/invitees", {}, Resource[User], Allowance.BOOKINGS)

    assert wire.budget.paused_until(USER) is None
    await wire.api.get(ACCESS, "/users/me", Resource[User])
    with pytest.raises(CalendlyThrottled):
        await wire.api.post(ACCESS, "/invitees", {}, Resource[User], Allowance.BOOKINGS)
    assert len(wire.requests) == 2


async def test_refusals_teach_too() -> None:
    """The headers of an error answer count like those of a success."""
    refused = refusal(404, "Resource Not Found")
    refused.headers.update(
        {"x-ratelimit-limit": "500", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"}
    )
    wire = Wire(refused)
    with pytest.raises(CalendlyNotFound):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    with pytest.raises(CalendlyThrottled):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    assert len(wire.requests) == 1
