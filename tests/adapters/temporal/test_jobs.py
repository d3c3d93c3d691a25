import asyncio
import socket
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from adapters.temporal.connect import connect
from adapters.temporal.contract import IntegrationInput
from adapters.temporal.jobs import TemporalJobs
from application.ports.jobs import Jobs, StartedJob
from domain.errors import JobsUnavailable
from domain.ids import IntegrationId
from tests.workflows import servers

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def jobs(dev_server: WorkflowEnvironment) -> Jobs:
    """Jobs of a queue without a worker."""
    return TemporalJobs(dev_server.client, task_queue="nobody")


async def end(client: Client, started: StartedJob) -> None:
    """End a run, as its worker would."""
    await client.get_workflow_handle(started.workflow_id, run_id=started.run_id).terminate()


async def test_a_job_that_runs_is_attached_to(jobs: Jobs, dev_server: WorkflowEnvironment) -> None:
    """Asking for a job twice gives one run, and says that it was under way."""
    first = await jobs.refresh_tokens()
    second = await jobs.refresh_tokens()
    await end(dev_server.client, first)

    assert first.workflow_id == "refresh-calendly-tokens"
    assert not first.already_running
    assert second == StartedJob(first.workflow_id, first.run_id, already_running=True)


async def test_many_starts_at_once_make_one_run(
    jobs: Jobs, dev_server: WorkflowEnvironment
) -> None:
    """Of many callers that ask for a job in the same moment exactly one starts it."""
    started = await asyncio.gather(*(jobs.sync_availability() for _ in range(8)))
    await end(dev_server.client, started[0])

    assert len({one.run_id for one in started}) == 1
    assert [one.already_running for one in started].count(False) == 1


async def test_a_job_that_ended_starts_again(jobs: Jobs, dev_server: WorkflowEnvironment) -> None:
    """A job's fixed id does not keep it from running a second time."""
    first = await jobs.apply_webhooks()
    await end(dev_server.client, first)
    second = await jobs.apply_webhooks()
    await end(dev_server.client, second)

    assert second.workflow_id == "apply-calendly-webhooks"
    assert not second.already_running
    assert second.run_id != first.run_id


@pytest.mark.parametrize("job", ["onboard", "disconnect"])
async def test_an_integration_has_jobs_of_its_own(
    jobs: Jobs, dev_server: WorkflowEnvironment, job: str
) -> None:
    """The jobs of one integration carry its id, in their own id and as their only input."""
    integration_id = IntegrationId(uuid4())

    started = await getattr(jobs, job)(integration_id)
    again = await getattr(jobs, job)(integration_id)
    other = await getattr(jobs, job)(IntegrationId(uuid4()))
    handle = dev_server.client.get_workflow_handle(started.workflow_id)
    first_event = await anext(handle.fetch_history_events())
    payload = first_event.workflow_execution_started_event_attributes.input.payloads[0]

    assert started.workflow_id == f"integration/{integration_id}/{job}"
    assert again.already_running
    assert not other.already_running
    assert payload.data.decode() == f'{{"integration_id":"{integration_id}"}}'
    [decoded] = dev_server.client.data_converter.payload_converter.from_payloads(
        [payload], [IntegrationInput]
    )
    assert decoded == IntegrationInput(integration_id=integration_id)


async def test_a_process_starts_without_temporal_and_its_calls_fail_quickly(
    closed_port: int,
) -> None:
    """A lazy client is made even while Temporal is down, and each call fails in time."""
    client = await connect(f"127.0.0.1:{closed_port}", "default", lazy=True)
    jobs = TemporalJobs(client, timeout=timedelta(seconds=1))
    began = time.monotonic()

    with pytest.raises(JobsUnavailable) as start:
        await jobs.refresh_tokens()
    with pytest.raises(JobsUnavailable):
        await jobs.check()

    assert time.monotonic() - began < 4
    assert start.value.retry_after is not None


async def test_a_worker_s_connection_needs_temporal(closed_port: int) -> None:
    """An eager client is only had from a server that answers."""
    with pytest.raises(JobsUnavailable, match="TEMPORAL_ADDRESS"):
        await connect(f"127.0.0.1:{closed_port}", "default")


async def test_jobs_start_once_temporal_came_up() -> None:
    """A client made while Temporal was down works as soon as it is there, without a restart."""
    with servers.refusing_port() as port:
        client = await connect(f"127.0.0.1:{port}", "default", lazy=True)
        jobs = TemporalJobs(client)
        with pytest.raises(JobsUnavailable):
            await jobs.refresh_tokens()

    async with servers.dev_server(port):
        await jobs.check()
        started = await jobs.refresh_tokens()

    assert not started.already_running


async def test_an_unknown_namespace_is_named(dev_server: WorkflowEnvironment) -> None:
    """Readiness names a namespace that does not exist."""
    address = dev_server.client.service_client.config.target_host
    jobs = TemporalJobs(await connect(address, "nowhere", lazy=True))

    with pytest.raises(JobsUnavailable, match="'nowhere'"):
        await jobs.check()


async def test_a_server_that_hangs_costs_no_more_than_the_time_limit() -> None:
    """A Temporal that accepts connections and never answers is as unavailable as none."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = await connect(f"127.0.0.1:{silent.getsockname()[1]}", "default", lazy=True)
        jobs = TemporalJobs(client, timeout=timedelta(milliseconds=300))
        began = time.monotonic()

        with pytest.raises(JobsUnavailable):
            await jobs.refresh_tokens()

    assert time.monotonic() - began < 2
