import asyncio
from itertools import count
from typing import NamedTuple

import pytest

from application.tokens.token_encryption import open_access, open_refresh
from domain.errors import GrantRefused, ReauthRequired
from domain.ids import IntegrationId
from domain.integration import Cause, Integration, Status
from tests.application.support.building import Product
from tests.application.support.process import LEASE, Process


class Aftermath(NamedTuple):
    """The state after a series of crashes, and the result of the next refresh."""

    died_at: tuple[str | None, ...]
    was_spent: bool
    stored: Integration
    works: bool


async def dies(product: Product, integration_id: IntegrationId, step: int) -> str | None:
    """Let a process die at this step of a refresh; return where, or None if it got through."""
    product.steps.die_at(step)
    try:
        await Process(product, "dying").refresh.run(integration_id)
    except asyncio.CancelledError:
        return product.steps.died_at
    except (GrantRefused, ReauthRequired):
        return None
    finally:
        product.steps.live()
        product.clock.advance(LEASE)
    return None


def is_obsolete(product: Product, stored: Integration) -> bool:
    """Whether the stored refresh token is dead at Calendly."""
    if stored.tokens is None:
        return True
    return open_refresh(product.vault, stored).reveal() != product.calendly.grants[0].refresh


async def aftermath(*steps: int) -> Aftermath:
    """Let processes die at these steps one after the other, then let one live."""
    product = Product()
    product.calendly.tokens_per_minute = None
    connected = await product.connect()
    died_at = [await dies(product, connected.id, step) for step in steps]
    was_spent = is_obsolete(product, await product.stored(connected.id))
    try:
        fresh = await Process(product, "living").refresh.run(connected.id)
    except (GrantRefused, ReauthRequired):
        works = False
    else:
        works = await product.calendly.me(open_access(product.vault, fresh)) is not None
    return Aftermath(tuple(died_at), was_spent, await product.stored(connected.id), works)


async def crash_points() -> list[str]:
    """Return every step at which a refresh can die, in order."""
    found: list[str] = []
    for step in count():
        product = Product()
        connected = await product.connect()
        died_at = await dies(product, connected.id, step)
        if died_at is None:
            return found
        found.append(died_at)
    raise AssertionError


def check(seen: Aftermath) -> None:
    """Fail unless the outcome is what Calendly makes unavoidable, and no worse."""
    if seen.was_spent:
        assert seen.stored.status is Status.REAUTH_REQUIRED, seen.died_at
        assert seen.stored.attention is not None
        assert seen.stored.attention.cause is Cause.REFRESH_OUTCOME_LOST, seen.died_at
    else:
        assert seen.works, seen.died_at
        assert seen.stored.status is Status.ACTIVE, seen.died_at
        assert seen.stored.exchange_started_at is None, seen.died_at


async def test_a_refresh_can_die_on_either_side_of_all_it_does() -> None:
    """A refresh waits for the store five times over and for Calendly once, at known points."""
    assert await crash_points() == [
        "opening",  # the look
        "opening",  # the lease
        "before the commit",
        "after the commit",
        "opening",  # the brake of mass refusals
        "opening",  # the shared breaker
        "opening",  # the record that the token may be spent
        "before the commit",
        "after the commit",
        "before refresh",
        "after refresh",
        "opening",  # the new pair
        "before the commit",
        "after the commit",
    ]


async def test_only_a_spent_token_is_ever_lost_to_a_crash() -> None:
    """Whenever a process dies, the next one has a live pair unless Calendly spent the token."""
    points = await crash_points()

    lost = []
    for step, name in enumerate(points):
        seen = await aftermath(step)
        check(seen)
        if seen.was_spent:
            lost.append(name)

    assert lost == ["after refresh", "opening", "before the commit"]


async def test_two_crashes_are_no_worse_than_one() -> None:
    """A crash during the recovery from an earlier one leaves it as recoverable as before."""
    steps = range(len(await crash_points()))

    for first in steps:
        for second in steps:
            check(await aftermath(first, second))


@pytest.mark.parametrize("name", ["before refresh", "after refresh"])
async def test_a_mark_without_an_outcome_is_left_by_a_crash_alone(name: str) -> None:
    """A crash while the request may be out leaves the mark that a later refusal is judged by."""
    product = Product()
    connected = await product.connect()
    step = (await crash_points()).index(name)

    await dies(product, connected.id, step)

    stored = await product.stored(connected.id)
    assert stored.exchange_started_at is not None
    assert stored.status is Status.ACTIVE
