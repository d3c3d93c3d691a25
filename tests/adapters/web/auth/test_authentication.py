import pytest

from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

AUTHENTICATED = [
    ("GET", "/api/calendly/connect"),
    ("GET", "/api/calendly/integration"),
    ("DELETE", "/api/calendly/integration"),
    ("GET", "/api/calendly/event-types"),
    ("GET", "/api/calendly/availability"),
    ("GET", "/api/calendly/bookings"),
    ("POST", "/api/calendly/bookings"),
    ("GET", "/api/calendly/bookings/00000000-0000-0000-0000-000000000001"),
    ("POST", "/api/calendly/bookings/00000000-0000-0000-0000-000000000001/cancel"),
    ("POST", "/api/calendly/bookings/00000000-0000-0000-0000-000000000001/no-show"),
    ("DELETE", "/api/calendly/bookings/00000000-0000-0000-0000-000000000001/no-show"),
]
CREDENTIALS = [
    {},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer wrong-key"},
    {"Authorization": "Basic c2stOng="},
    {"Authorization": CALLER["Authorization"].removeprefix("Bearer ")},
]


@pytest.mark.parametrize(("method", "path"), AUTHENTICATED)
@pytest.mark.parametrize("credentials", CREDENTIALS)
async def test_a_request_without_a_key_is_refused(
    client: Client,
    services: StandInServices,
    method: str,
    path: str,
    credentials: dict[str, str],
) -> None:
    """A missing or wrong API key is 401, whatever else is wrong with the request."""
    answer = await client.request(method, path, headers={**credentials, "X-User-Id": "ada"})

    problem_in(answer, 401, "api_key_invalid")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "wrong-key" not in answer.text
    assert services.identify_caller.users == {}


@pytest.mark.parametrize(("method", "path"), AUTHENTICATED)
async def test_a_caller_names_a_user(client: Client, method: str, path: str) -> None:
    """A good key without X-User-Id is 400."""
    answer = await client.request(method, path, headers={"Authorization": CALLER["Authorization"]})

    problem_in(answer, 400, "invalid_input")


async def test_a_user_exists_from_the_first_connect_on(
    client: Client, services: StandInServices
) -> None:
    """A read for an unknown user creates nothing; a connect creates the user."""
    await client.get("/api/calendly/bookings", headers={**CALLER, "X-User-Id": "new"})
    assert services.identify_caller.users == {}

    await client.get("/api/calendly/connect", headers={**CALLER, "X-User-Id": "new"})
    assert list(services.identify_caller.users) == ["new"]
