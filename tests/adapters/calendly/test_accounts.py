import pytest

from adapters.calendly.accounts import CalendlyAccountsGateway
from domain.errors import CalendlyForbidden, CalendlyNotFound, CalendlyProtocolError
from domain.integration import Account
from tests.adapters.calendly.support import ACCESS, API_URL, Wire, refusal, resource
from tests.fakes.calendly import bodies


async def test_the_account_behind_a_token_is_read() -> None:
    """`GET /users/me` with the bearer token gives the account."""
    wire = Wire(resource(bodies.user()))

    account = await CalendlyAccountsGateway(wire.api).me(ACCESS)

    assert account == Account(
        user_uri=bodies.USER,
        organization_uri=bodies.ORGANIZATION,
        name="Ada Host",
        email="host@example.com",
        timezone="Europe/Zurich",
        scheduling_url="https://calendly.com/ada",
    )
    assert (wire.request.method, str(wire.request.url)) == ("GET", f"{API_URL}/users/me")
    assert wire.request.headers["authorization"] == "Bearer access-1"
    assert wire.request.headers["user-agent"].startswith("Slotkeeper/")
    assert wire.request.headers["accept"] == "application/json"
    assert wire.request.content == b""


async def test_a_user_without_an_organization_cannot_be_read() -> None:
    """An account lacks nothing that we rely on, or the answer is refused."""
    wire = Wire(resource(bodies.user(current_organization=None)))

    with pytest.raises(CalendlyProtocolError, match=r"\$\.resource\.current_organization"):
        await CalendlyAccountsGateway(wire.api).me(ACCESS)


async def test_another_user_is_read_by_name() -> None:
    """`GET /users/{uuid}` gives an account of the same organization; a stranger is refused."""
    wire = Wire(resource(bodies.user(name="Grace Host")), refusal(403, "Permission Denied"))
    gateway = CalendlyAccountsGateway(wire.api)

    account = await gateway.user(ACCESS, bodies.USER)
    with pytest.raises(CalendlyForbidden):
        await gateway.user(ACCESS, bodies.USER)

    assert account.name == "Grace Host"
    assert {str(each.url) for each in wire.requests} == {f"{API_URL}/users/HOST0001"}


async def test_what_is_no_user_is_not_asked_for() -> None:
    """The address of something else is not found, and nothing is sent."""
    wire = Wire()

    with pytest.raises(CalendlyNotFound):
        await CalendlyAccountsGateway(wire.api).user(ACCESS, bodies.EVENT_TYPE)

    assert wire.requests == []
