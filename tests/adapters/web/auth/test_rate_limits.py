"""Limits of how often keys, users and addresses call."""

import httpx
import pytest
import structlog

from adapters.web.auth.rate_limits import RateLimits, network_of
from adapters.web.http.refusals import REFUSED
from domain.errors import RateLimited
from tests.adapters.sound_environ import SOUND
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in, serving, settings_with

READ = "/api/calendly/bookings"
CRON = "/api/cron/refresh-calendly-tokens"
GOOD_CRON = {"Authorization": f"Bearer {SOUND['CRON_SECRET']}"}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def guess(number: int) -> dict[str, str]:
    """Return the headers of a guess."""
    return {"Authorization": f"Bearer sk_guess-{number}", "X-User-Id": "ada"}


def refused(reason: str) -> float:
    """Return how often requests were refused for this reason."""
    value: float = REFUSED.labels(reason)._value.get()
    return value


def limited(answer: httpx.Response, policy: str) -> None:
    """Assert that the answer is that of a limit, with its headers."""
    problem = problem_in(answer, 429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    assert problem["retry_after"] == int(answer.headers["retry-after"])
    assert answer.headers["ratelimit-policy"].startswith(f'"{policy}";q=')
    assert answer.headers["ratelimit"] == f'"{policy}";r=0;t={answer.headers["retry-after"]}'


async def test_a_brute_force_of_keys_is_slowed_to_the_limit() -> None:
    """Of many guesses of one address only the limit is checked; a good key goes on working."""
    services = StandInServices(settings_with(RATE_REFUSED="20"))
    async with serving(services) as client:
        before = refused("rate_address")
        assert (await client.get(READ, headers=CALLER)).status_code == 200
        answers = [await client.get(READ, headers=guess(each)) for each in range(200)]
        good = await client.get(READ, headers=CALLER)

    assert [each.status_code for each in answers[:20]] == [401] * 20
    assert {each.status_code for each in answers[21:]} == {429}
    limited(answers[-1], "address")
    assert refused("rate_address") - before >= 179
    assert good.status_code == 200


async def test_a_brute_force_of_the_cron_secret_is_slowed_to_the_limit() -> None:
    """Beyond the limit not even the right secret is accepted: a right guess shows nothing."""
    services = StandInServices(settings_with(RATE_REFUSED="21"))
    async with serving(services) as client:
        assert (await client.post(CRON, headers=GOOD_CRON)).status_code == 202
        answers = [await client.post(CRON, headers=guess(each)) for each in range(100)]
        right = await client.post(CRON, headers=GOOD_CRON)

    assert [each.status_code for each in answers[:21]] == [401] * 21
    assert {each.status_code for each in answers[22:]} == {429}
    limited(right, "address")


def test_another_address_is_not_affected() -> None:
    """The guesses of one address cost no other address an attempt."""
    limits = RateLimits(settings_with(RATE_REFUSED="3"))
    for _ in range(3):
        limits.refuse("192.0.2.1")

    limits.check_address("192.0.2.2")
    limits.check_address(None)
    with pytest.raises(RateLimited):
        limits.check_address("192.0.2.1")
    with pytest.raises(RateLimited):
        limits.check_address("::ffff:192.0.2.1", b"unknown")


async def test_a_user_and_a_key_have_their_limits() -> None:
    """One user's flood is refused, and the key's other users go on until the key's own limit."""
    services = StandInServices(settings_with(RATE_PER_USER="5", RATE_PER_KEY="10"))

    async def call(client: Client, user: str) -> httpx.Response:
        return await client.get(READ, headers={**CALLER, "X-User-Id": user})

    async with serving(services) as client:
        ada = [await call(client, "ada") for _ in range(12)]
        others = [await call(client, f"user-{each}") for each in range(20)]

    assert [each.status_code for each in ada[:10]] == [200] * 10
    limited(ada[-1], "user")
    assert others[0].status_code == 200
    limited(others[-1], "key")


async def test_the_line_of_a_limited_call_names_the_address() -> None:
    """An operator finds the address that guesses in the access log."""
    services = StandInServices(settings_with(RATE_REFUSED="1"))
    async with serving(services) as client:
        with structlog.testing.capture_logs() as log:
            await client.get(READ, headers=guess(1))
            await client.get(READ, headers=guess(2))

    assert [(each["error_code"], each["client"]) for each in log] == [
        ("api_key_invalid", "testclient"),
        ("rate_limited", "testclient"),
    ]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::1", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_the_network_of_an_address(address: str | None, network: str) -> None:
    """A customer with 2**64 addresses of IPv6 counts as one."""
    assert network_of(address) == network
