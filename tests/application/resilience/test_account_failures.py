from contextlib import suppress
from datetime import timedelta

import pytest

from application.ports.storage.breakers import Surface
from application.resilience.account_failures import MOST_REMEMBERED, AccountFailures
from application.resilience.circuit_breakers import BELIEVED_FOR
from domain.circuit_breaker import Breaker, BreakerState
from domain.errors import (
    CalendlyError,
    CalendlyForbidden,
    CalendlyProtocolError,
    CalendlyUnavailable,
    CalendlyUncertain,
    CircuitOpen,
    SlotkeeperError,
)
from tests.application.support.building import Product
from tests.application.support.calling import OPEN_FOR, Host
from tests.application.support.process import BREAKER, Process
from tests.fakes.clock import NOON

SECOND = timedelta(seconds=1)


class Accounts:
    """Calls to one surface for several accounts, some of them failing."""

    def __init__(self, process: Process, product: Product) -> None:
        self.circuit_breakers = process.circuit_breakers
        self.clock = product.clock
        self.errors: dict[str, SlotkeeperError] = {}

    async def call(self, subject: str) -> bool:
        """Call for an account, a second later; return whether it was let through."""
        self.clock.advance(SECOND)
        host = Host()
        host.error = self.errors.get(subject)
        with suppress(CircuitOpen, CalendlyError):
            await self.circuit_breakers.call(Surface.API, host.answer, subject=subject)
        return host.calls == 1

    async def state(self) -> BreakerState:
        """Return the state of the breaker."""
        return (await self.breaker()).state

    async def breaker(self) -> Breaker:
        """Return the breaker as it is stored."""
        return await self.circuit_breakers.current(Surface.API)


@pytest.fixture
def accounts(process: Process, product: Product) -> Accounts:
    """Healthy accounts."""
    return Accounts(process, product)


async def test_one_broken_account_stops_no_other(accounts: Accounts) -> None:
    """An account that fails again and again while another is answered opens nothing."""
    accounts.errors["broken"] = CalendlyUnavailable("500 for this account")
    await accounts.call("broken")
    await accounts.call("sound")
    for _ in range(10 * BREAKER.threshold):
        assert await accounts.call("broken")

    assert await accounts.state() is BreakerState.CLOSED
    assert await accounts.call("sound")


async def test_a_refusal_shows_that_others_are_answered(accounts: Accounts) -> None:
    """Another account that is refused got an answer: the host is well."""
    accounts.errors["broken"] = CalendlyUnavailable("500 for this account")
    accounts.errors["refused"] = CalendlyForbidden("no")
    await accounts.call("broken")
    await accounts.call("refused")
    for _ in range(2 * BREAKER.threshold):
        await accounts.call("broken")

    assert await accounts.state() is BreakerState.CLOSED


async def test_an_outage_is_seen_with_a_single_account(accounts: Accounts) -> None:
    """If no other account is answered, the failures of the only one in use all count."""
    assert await accounts.call("only")
    accounts.errors["only"] = CalendlyUnavailable("down")
    sent = [await accounts.call("only") for _ in range(2 * BREAKER.threshold)]

    assert sum(sent) == BREAKER.threshold
    assert await accounts.state() is BreakerState.OPEN


async def test_an_outage_is_seen_with_two_accounts(accounts: Accounts, product: Product) -> None:
    """The last answer of the other account protects for a window and no longer."""
    await accounts.call("a")
    await accounts.call("b")
    accounts.errors |= dict.fromkeys("ab", CalendlyUnavailable("down"))
    for _ in range(BREAKER.threshold):
        assert await accounts.call("a")
        assert await accounts.call("b")
    assert await accounts.state() is BreakerState.CLOSED
    product.clock.advance(BREAKER.window)
    sent = [await accounts.call(subject) for subject in "ab" * BREAKER.threshold]

    assert sum(sent) == BREAKER.threshold
    assert await accounts.state() is BreakerState.OPEN


async def test_an_unreadable_success_is_no_outage(accounts: Accounts) -> None:
    """Many accounts with odd records open nothing: Calendly answered each."""
    for number in range(2 * BREAKER.threshold):
        subject = f"odd-{number}"
        accounts.errors[subject] = CalendlyProtocolError("200", unreadable=True)
        assert await accounts.call(subject)

    assert await accounts.state() is BreakerState.CLOSED


async def test_an_unreadable_answer_to_a_request_with_effects_is_evidence(
    accounts: Accounts,
) -> None:
    """A maintenance page at the token endpoint costs few tokens: the breaker opens."""
    subjects = [f"user-{number}" for number in range(2 * BREAKER.threshold)]
    accounts.errors |= dict.fromkeys(subjects, CalendlyUncertain("200", unreadable=True))
    sent = [await accounts.call(subject) for subject in subjects]

    assert sum(sent) == BREAKER.threshold
    assert await accounts.state() is BreakerState.OPEN


async def test_the_account_that_opened_a_breaker_leaves_the_probe_to_others(
    accounts: Accounts, product: Product
) -> None:
    """Its next call is refused while another account may show that Calendly is well."""
    down = CalendlyUnavailable("down")
    accounts.errors |= dict.fromkeys(("a", "b", "odd"), down)
    for subject in ("a", "a", "b", "b", "odd"):
        await accounts.call(subject)
    accounts.errors.pop("a")
    product.clock.advance(OPEN_FOR)

    assert not await accounts.call("odd")
    assert await accounts.call("a")
    assert await accounts.state() is BreakerState.CLOSED


async def test_an_outage_is_seen_although_an_account_was_broken_before(accounts: Accounts) -> None:
    """The failures of accounts that were well until now are evidence immediately."""
    accounts.errors["broken"] = CalendlyUnavailable("500 for this account")
    for subject in ("broken", "a", "b", "broken"):
        await accounts.call(subject)
    accounts.errors |= dict.fromkeys("abc", CalendlyUnavailable("down"))
    for subject in "abcab":
        assert await accounts.call(subject)

    assert await accounts.state() is BreakerState.OPEN


async def test_a_broken_account_that_is_left_alone_is_believed_again(
    accounts: Accounts, product: Product
) -> None:
    """If no other account was answered within the window, its failures count again."""
    accounts.errors["broken"] = CalendlyUnavailable("down")
    await accounts.call("broken")
    await accounts.call("sound")
    product.clock.advance(BREAKER.window)
    for _ in range(BREAKER.threshold):
        assert await accounts.call("broken")

    assert (await accounts.breaker()).failed_by == ("broken",) * BREAKER.threshold


async def test_a_broken_account_does_not_spoil_a_probe(
    accounts: Accounts, product: Product
) -> None:
    """If an account known to be broken takes the probe, the next caller probes immediately."""
    accounts.errors["broken"] = CalendlyUnavailable("500 for this account")
    await accounts.call("broken")
    await accounts.call("a")
    accounts.errors |= dict.fromkeys("abcd", CalendlyUnavailable("down"))
    for subject in "bcdbc":
        await accounts.call(subject)
    assert await accounts.state() is BreakerState.OPEN
    accounts.errors.pop("a")
    product.clock.advance(OPEN_FOR)
    assert await accounts.call("broken")

    assert await accounts.call("a")
    assert await accounts.state() is BreakerState.CLOSED


async def test_who_failed_in_an_outage_is_under_no_suspicion(
    accounts: Accounts, product: Product
) -> None:
    """After an outage every account's failures are evidence of the next one."""
    accounts.errors |= dict.fromkeys("abcde", CalendlyUnavailable("down"))
    for subject in "abcde":
        await accounts.call(subject)
    product.clock.advance(OPEN_FOR + BELIEVED_FOR)
    accounts.errors.pop("a")
    assert await accounts.call("a")
    for subject in "bcdbc":
        assert await accounts.call(subject)

    assert await accounts.state() is BreakerState.OPEN


async def test_without_an_account_every_failure_counts(process: Process) -> None:
    """Calls that belong to no account are always evidence."""
    host = Host()
    await process.circuit_breakers.call(Surface.API, host.answer, subject="sound")
    host.error = CalendlyUnavailable("down")
    for _ in range(BREAKER.threshold):
        with pytest.raises(CalendlyUnavailable):
            await process.circuit_breakers.call(Surface.API, host.answer)

    assert (await process.circuit_breakers.current(Surface.API)).state is BreakerState.OPEN


def test_what_is_remembered_is_bounded() -> None:
    """With many failing accounts the oldest are forgotten, and are evidence again."""
    trouble = AccountFailures(BREAKER.window)
    for number in range(MOST_REMEMBERED + 1):
        trouble.is_evidence(f"account-{number}", NOON)
    trouble.answered("sound", NOON + SECOND)

    assert trouble.is_evidence("account-0", NOON + SECOND)
    assert not trouble.is_evidence(f"account-{MOST_REMEMBERED}", NOON + SECOND)
