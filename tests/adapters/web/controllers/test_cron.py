import pytest

from tests.adapters.sound_environ import SECRETS
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

SECRET = {"Authorization": f"Bearer {SECRETS['CRON_SECRET']}"}
JOBS = ["refresh-calendly-tokens", "sync-calendly-availability"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("job", JOBS)
async def test_a_job_starts_now(
    client: Client, services: StandInServices, method: str, job: str
) -> None:
    """The cron secret starts the same workflow as the schedule; asking again attaches to it."""
    first = await client.request(method, f"/api/cron/{job}", headers=SECRET)
    second = await client.request(method, f"/api/cron/{job}", headers=SECRET)

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["workflow_id"] == job
    assert first.json()["run_id"] == second.json()["run_id"]
    assert (first.json()["already_running"], second.json()["already_running"]) == (False, True)
    assert services.jobs.started == [job]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong-s3cret"},
        {"Authorization": SECRETS["CRON_SECRET"]},
        {"Authorization": f"Bearer {SECRETS['CRON_SECRET'][:-1]}"},
        {"Authorization": b"Bearer \xff\xfe"},
        CALLER,
    ],
)
async def test_a_caller_without_the_secret_starts_no_job(
    client: Client,
    services: StandInServices,
    method: str,
    job: str,
    headers: dict[str, str],
) -> None:
    """A missing or wrong cron secret, or an API key instead of it, is 401 and starts nothing."""
    answer = await client.request(method, f"/api/cron/{job}", headers=headers)

    problem_in(answer, 401, "cron_secret_invalid")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert services.jobs.started == []
    assert SECRETS["CRON_SECRET"] not in answer.text


async def test_without_temporal_the_caller_gets_a_retryable_answer(
    client: Client, services: StandInServices
) -> None:
    """While Temporal is down starting a job is 503."""
    services.jobs.down = True

    answer = await client.post("/api/cron/refresh-calendly-tokens", headers=SECRET)

    problem_in(answer, 503, "jobs_unavailable")
