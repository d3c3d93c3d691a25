"""Calls to Temporal that end: bounded in time, and failing as JobsUnavailable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import JobsUnavailable

_AGAIN_IN = 5.0  # seconds

_REMEDIES = {
    RPCStatusCode.NOT_FOUND: "create the namespace or set TEMPORAL_NAMESPACE",
    RPCStatusCode.PERMISSION_DENIED: "check TEMPORAL_API_KEY or the TLS certificate",
    RPCStatusCode.UNAUTHENTICATED: "check TEMPORAL_API_KEY or the TLS certificate",
}


@asynccontextmanager
async def reaching(client: Client, timeout: timedelta) -> AsyncIterator[None]:  # noqa: ASYNC109 - of the whole block
    """Bound the block's calls in time, the connecting and the SDK's own retries included.

    Raises:
        JobsUnavailable: they took longer than `timeout`, or Temporal refused them.

    """
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            yield
    except RPCError as error:
        remedy = _REMEDIES.get(error.status, "check that the server runs")
        raise JobsUnavailable(
            f"Temporal did not serve namespace {client.namespace!r} ({error.status.name}); "
            f"{remedy}.",
            retry_after=_AGAIN_IN,
        ) from error
    except (RuntimeError, TimeoutError) as error:
        raise JobsUnavailable(
            "Temporal cannot be reached; check TEMPORAL_ADDRESS and that it runs.",
            retry_after=_AGAIN_IN,
        ) from error
