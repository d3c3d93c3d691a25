"""`slotkeeper worker`: runs the jobs that Temporal starts.

Services open first, then Temporal, then the worker; they close in reverse. So an activity that is
cancelled can still write to its database.
"""

import asyncio
import os
import socket
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext
from pathlib import Path

import click
import structlog
from temporalio.client import Client
from temporalio.runtime import Runtime

from adapters.bootstrap import open_services
from adapters.settings import Settings, load_settings
from adapters.system.listeners import inherited, listen
from adapters.telemetry.logs import configure_logging
from adapters.telemetry.prometheus import PrometheusTelemetry
from adapters.telemetry.temporal_runtime import create_temporal_runtime, keep_log_messages_plain
from adapters.temporal.connect import connect, settle
from adapters.temporal.contract import TASK_QUEUE
from adapters.temporal.jobs import TemporalJobs
from adapters.wiring.calendly import retry_table
from workflows.assembly import build_worker
from workflows.catalog import activities_of
from workflows.lifecycle import connect_patiently, first_of, run_worker, stop_on_signals
from workflows.metrics_endpoint import Render, metrics_endpoint
from workflows.schedule_watch import watching_schedules

log = structlog.get_logger(__name__)


@click.command("worker")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that exists while the worker takes work, for probes.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    help="Serve Prometheus metrics at this port; 0 takes a free one.",
)
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    show_default=True,
    help="The address at which metrics are served; 0.0.0.0 is every interface.",
)
@click.option(
    "--metrics-fd",
    type=click.IntRange(min=0),
    help="Serve Prometheus metrics at an inherited listening socket instead.",
)
@click.option(
    "--schedules/--no-schedules",
    default=True,
    help="Create the schedules that Temporal does not have, and report on all of them.",
)
def worker_command(
    ready_file: Path | None,
    metrics_port: int | None,
    metrics_host: str,
    metrics_fd: int | None,
    *,
    schedules: bool,
) -> None:
    """Work on the jobs that Temporal hands out.

    Waits for a Temporal that is not there yet. SIGTERM lets work under way end for up to 10
    seconds; what does not is taken up by another worker.
    """
    settings = load_settings(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    keep_log_messages_plain()
    Runtime.set_default(create_temporal_runtime())
    metrics_socket = _metrics_socket(metrics_host, metrics_port, metrics_fd)
    asyncio.run(_work(settings, ready_file, metrics_socket, schedules=schedules))


async def _work(
    settings: Settings,
    ready_file: Path | None,
    metrics_socket: socket.socket | None,
    *,
    schedules: bool,
) -> None:
    stop = stop_on_signals()
    try:
        async with open_services(settings) as services:
            with _metrics(services.telemetry.render, metrics_socket):
                client = await connect_patiently(lambda: _reach(settings), stop)
                if client is None:
                    return
                retries = retry_table(settings)
                activities = activities_of(services, page_size=settings.page_size, retries=retries)
                worker = build_worker(client, activities, retries=retries)
                await first_of(services.clock_skew.known, stop)
                async with _schedules(client, services.telemetry, kept=schedules):
                    await run_worker(worker, stop, ready_file, services.clock_skew.fault)
    finally:
        await settle()


def _schedules(
    client: Client, telemetry: PrometheusTelemetry, *, kept: bool
) -> AbstractAsyncContextManager[None]:
    if not kept:
        return nullcontext()
    return watching_schedules(client, TASK_QUEUE, telemetry.schedules_compared)


async def _reach(settings: Settings) -> Client:
    """Return a client of a server that answers and knows the namespace."""
    client = await connect(settings.temporal_address, settings.temporal_namespace)
    await TemporalJobs(client).check()
    return client


def _metrics_socket(host: str, port: int | None, descriptor: int | None) -> socket.socket | None:
    if descriptor is not None:
        return inherited([descriptor])[0]
    if port is None:
        return None
    try:
        return listen([host], port)[0]
    except OSError as error:
        raise click.ClickException(
            f"cannot serve metrics at {host}, port {port} ({error.strerror}); "
            "stop the program that listens there, or choose another one with --metrics-host "
            "and --metrics-port"
        ) from error


def _metrics(render: Render, listener: socket.socket | None) -> ExitStack:
    stack = ExitStack()
    if listener is not None:
        stack.enter_context(metrics_endpoint(render, listener))
        log.info("worker.metrics", port=listener.getsockname()[1])
    return stack
