from application.integrations.view_integration import ActionRequired
from domain.errors import JobsUnavailable, ReauthRequired
from domain.integration import Cause, Recovery, Status
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

INTEGRATION = "/api/calendly/integration"


async def test_the_connection_is_shown(client: Client, services: StandInServices) -> None:
    """A user's connection is shown with account, scopes, expiry, sync and breaker."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()

    answer = await client.get(INTEGRATION, headers=CALLER)

    shown = answer.json()
    assert answer.status_code == 200
    assert shown["status"] == "active"
    assert shown["account"]["name"] == "Ada Example"
    assert shown["token_expires_at"] == "2026-12-01T11:00:00Z"
    assert shown["breaker"] == {
        "state": "closed",
        "failures": 0,
        "retry_at": None,
        "opened_at": None,
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_what_a_person_has_to_do_is_shown(client: Client, services: StandInServices) -> None:
    """A lost grant says since when, why, and where to connect again."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration(
        status=Status.REAUTH_REQUIRED,
        action_required=ActionRequired(
            "grant_refused",
            scenario.NOW,
            "Connect again.",
            "/api/calendly/connect",
            "https://slots.example.com/api/calendly/connect",
        ),
    )

    answer = await client.get(INTEGRATION, headers=CALLER)

    assert answer.json()["action_required"] == {
        "code": "grant_refused",
        "since": "2026-12-01T09:00:00Z",
        "remedy": "Connect again.",
        "connect_path": "/api/calendly/connect",
        "connect_url": "https://slots.example.com/api/calendly/connect",
    }


async def test_a_recovery_is_shown(client: Client, services: StandInServices) -> None:
    """A connection that had been lost says what it came back from, and when."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration(
        recovered=Recovery(Cause.GRANT_REFUSED, scenario.NOW), shared_account=True
    )

    shown = (await client.get(INTEGRATION, headers=CALLER)).json()

    assert shown["recovered"] == {"from": "grant_refused", "at": "2026-12-01T09:00:00Z"}
    assert (shown["shared_account"], shown["action_required"]) == (True, None)


async def test_a_call_without_grant_names_the_way_back(
    client: Client, services: StandInServices
) -> None:
    """A call for a lost connection is refused with cause, time and a link that works from outside."""
    lost = ReauthRequired("Connect again.", cause="refresh_outcome_lost", since=scenario.NOW)
    services.fail_next("read_event_types", lost)

    answer = await client.get("/api/calendly/event-types", headers=CALLER)

    problem = problem_in(answer, 409, "reauth_required")
    assert problem["cause"] == "refresh_outcome_lost"
    assert problem["since"] == "2026-12-01T09:00:00Z"
    assert problem["connect_url"] == "https://slots.example.com/api/calendly/connect"


async def test_another_users_connection_is_not_found(
    client: Client, services: StandInServices
) -> None:
    """One user's connection does not exist for another."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()

    answer = await client.get(INTEGRATION, headers={**CALLER, "X-User-Id": "eve"})

    problem_in(answer, 404, "integration_not_found")


async def test_disconnecting_is_safe_to_repeat(client: Client, services: StandInServices) -> None:
    """Disconnecting is taken up once; repeating it says that there is nothing left to do."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()

    first = await client.delete(INTEGRATION, headers=CALLER)
    second = await client.delete(INTEGRATION, headers=CALLER)

    assert (first.status_code, first.json()) == (202, {"status": "disconnecting"})
    assert (second.status_code, second.content) == (204, b"")


async def test_disconnecting_without_temporal_can_be_repeated(
    client: Client, services: StandInServices
) -> None:
    """While Temporal is down disconnecting is 503 with a time to come back at."""
    services.fail_next("request_disconnect", JobsUnavailable("Temporal cannot be reached."))

    answer = await client.delete(INTEGRATION, headers=CALLER)

    assert problem_in(answer, 503, "jobs_unavailable")["retry_after"] > 0
