from domain.errors import CircuitOpen
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

REFRESH = "/api/calendly/integration/refresh"


async def test_tokens_are_refreshed_on_demand(client: Client, services: StandInServices) -> None:
    """An operator who asks for it gets the connection with its new expiry."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()

    answer = await client.post(REFRESH, headers=CALLER)

    assert answer.status_code == 200
    assert answer.json()["token_expires_at"] == "2026-12-01T11:00:00Z"


async def test_an_open_breaker_answers_at_once(client: Client, services: StandInServices) -> None:
    """While Calendly is failing the answer is 503 with the time to retry."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()
    services.fail_next("refresh_tokens", CircuitOpen("Open.", retry_after=41.2))

    answer = await client.post(REFRESH, headers=CALLER)

    problem_in(answer, 503, "circuit_open")
    assert answer.headers["retry-after"] == "42"


async def test_nothing_to_refresh(client: Client) -> None:
    """For a user without a connection the error says that there is none."""
    answer = await client.post(REFRESH, headers=CALLER)

    problem_in(answer, 404, "integration_not_found")
