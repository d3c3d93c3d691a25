from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

INVALIDATE = "/api/calendly/availability/invalidate"
SCHEDULES = "/api/calendly/schedules"


async def test_a_cached_response_is_not_sent_again(
    client: Client, services: StandInServices
) -> None:
    """After an invalidation the very next read reaches the cache, and says what it is."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()
    before = [(await client.get(SCHEDULES, headers=CALLER)).json() for _ in range(2)]
    asked = len(services.cache.asked)

    answer = await client.post(INVALIDATE, headers=CALLER)
    after = (await client.get(SCHEDULES, headers=CALLER)).json()

    assert (answer.status_code, answer.content) == (204, b"")
    assert asked == 1
    assert len(services.cache.asked) == 2
    assert before[1]["cache"]["freshness"] == "fresh"
    assert after["cache"]["freshness"] == "invalidated"


async def test_nothing_to_invalidate(client: Client) -> None:
    """A user without a connection is 404."""
    problem_in(await client.post(INVALIDATE, headers=CALLER), 404, "integration_not_found")


async def test_a_caller_without_a_key_invalidates_nothing(
    client: Client, services: StandInServices
) -> None:
    """Without a valid key the response is 401, and nothing is invalidated."""
    version = services.cache.version

    answer = await client.post(INVALIDATE, headers={**CALLER, "Authorization": "Bearer other"})

    problem_in(answer, 401, "api_key_invalid")
    assert services.cache.version == version
