import asyncio
from datetime import timedelta

import pytest

from adapters.system.clock_sync import ClockSkew
from adapters.temporal.schedules import ScheduleFaults
from adapters.web.readiness import readiness
from application.ports.storage.breakers import Surface
from domain.circuit_breaker import BreakerState, BreakerView
from tests.adapters.web import scenario as story
from tests.adapters.web.fakes import FakeDatabase, StandInServices
from tests.adapters.web.serving import Client


class HangingStorage(FakeDatabase):
    """A database that never answers."""

    async def ping(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


async def test_live_needs_nothing_else(client: Client, services: StandInServices) -> None:
    """The process is alive while all its dependencies are down."""
    services.storage.down = True
    services.jobs.down = True

    answer = await client.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready_when_everything_is_there(client: Client) -> None:
    """Ready lists each check."""
    answer = await client.get("/health/ready")

    found = answer.json()
    assert answer.status_code == 200
    assert found["ready"] is True
    assert [(each["name"], each["ok"]) for each in found["checks"]] == [
        ("database", True),
        ("migrations", True),
        ("clock", True),
        ("temporal", True),
        ("schedules", True),
    ]


async def test_an_open_circuit_is_shown_and_leaves_the_process_ready(
    client: Client, services: StandInServices
) -> None:
    """While Calendly fails the process serves what it has, and says when it tries again."""
    services.circuit_breakers.states_now[Surface.API] = BreakerView(
        BreakerState.OPEN, 5, story.NOW + timedelta(seconds=60), story.NOW
    )

    answer = await client.get("/health/ready")

    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["circuits"] == [
        {
            "surface": "oauth",
            "state": "closed",
            "failures": 0,
            "retry_at": None,
            "opened_at": None,
        },
        {
            "surface": "api",
            "state": "open",
            "failures": 5,
            "retry_at": "2026-12-01T09:01:00Z",
            "opened_at": "2026-12-01T09:00:00Z",
        },
        {
            "surface": "mass_refusal",
            "state": "closed",
            "failures": 0,
            "retry_at": None,
            "opened_at": None,
        },
    ]


async def test_without_the_database_no_circuit_is_shown(
    client: Client, services: StandInServices
) -> None:
    """Where the breakers cannot be read, none is guessed at; the database check says why."""
    services.storage.down = True

    answer = await client.get("/health/ready")

    assert (answer.status_code, answer.json()["circuits"]) == (503, [])


async def test_not_ready_says_what_to_do(client: Client, services: StandInServices) -> None:
    """A dependency that is not ready is named with its remedy; the rest is still checked."""
    services.storage.missing = ["2026-11-22"]
    services.jobs.down = True

    answer = await client.get("/health/ready")

    found = {each["name"]: each for each in answer.json()["checks"]}
    assert answer.status_code == 503
    assert found["database"]["ok"] is True
    assert found["migrations"]["detail"] == "1 pending; run: slotkeeper migrate"
    assert found["temporal"]["ok"] is False


@pytest.mark.parametrize(
    ("skew", "status", "detail"),
    [
        (timedelta(seconds=29), 200, None),
        (timedelta(seconds=30), 503, "30 s ahead of PostgreSQL's"),
        (timedelta(seconds=-300), 503, "300 s behind PostgreSQL's"),
        (None, 503, "was not compared"),
    ],
)
async def test_a_skewed_clock_is_not_ready(
    client: Client,
    services: StandInServices,
    skew: timedelta | None,
    status: int,
    detail: str | None,
) -> None:
    """From 30 s on the process is not ready, and says by how much its clock differs."""
    services.clock_skew = ClockSkew(skew)

    answer = await client.get("/health/ready")

    found = {each["name"]: each for each in answer.json()["checks"]}
    assert answer.status_code == status
    assert found["clock"]["required"] is True
    assert (detail or "") in (found["clock"]["detail"] or "")
    assert found["clock"]["ok"] is (status == 200)


async def test_an_absent_temporal_leaves_the_process_ready(
    client: Client, services: StandInServices
) -> None:
    """Webhooks and reads are served without Temporal, so a balancer must go on sending them."""
    services.jobs.down = True

    answer = await client.get("/health/ready")

    found = {each["name"]: each for each in answer.json()["checks"]}
    assert answer.status_code == 200
    assert (found["temporal"]["ok"], found["temporal"]["required"]) == (False, False)


async def test_missing_schedules_are_reported_and_leave_the_process_ready(
    client: Client, services: StandInServices
) -> None:
    """Requests need no schedule: the check names what is missing or different, and no more."""
    services.jobs.faults = ScheduleFaults(
        missing=("refresh-calendly-tokens",), different=("fill-calendly-gaps",)
    )

    answer = await client.get("/health/ready")

    found = {each["name"]: each for each in answer.json()["checks"]}["schedules"]
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert (found["ok"], found["required"]) == (False, False)
    assert found["detail"] == (
        "missing: refresh-calendly-tokens; of another workflow or task queue: "
        "fill-calendly-gaps. Run: slotkeeper schedules apply"
    )


async def test_a_check_that_hangs_is_given_up(services: StandInServices) -> None:
    """A check that does not answer counts as failed after its time."""
    services.probe_storage = HangingStorage()

    found = await readiness(services, timeout_seconds=0.02)  # type: ignore[arg-type]

    assert found.ready is False
    assert "No answer" in (found.checks[0].detail or "")


async def test_metrics_are_text_for_prometheus(client: Client, services: StandInServices) -> None:
    """/metrics is Prometheus' text format."""
    services.telemetry.webhook_received("stored")

    answer = await client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("webhooks_received_total 1\n")
