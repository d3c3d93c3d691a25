"""Connecting to Temporal.

Address and namespace come from the settings. TLS, API key and gRPC metadata come from Temporal's
own variables and configuration file, which its CLI reads too.
"""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime

from adapters.temporal.data_converter import DATA_CONVERTER
from domain.errors import JobsUnavailable

CONNECT_TIMEOUT: Final = timedelta(seconds=5)

_SETTLING: Final = timedelta(milliseconds=100)


async def connect(
    address: str, namespace: str, *, lazy: bool = False, runtime: Runtime | None = None
) -> Client:
    """Return a client of the namespace.

    Args:
        address: `host:port` of the frontend service.
        namespace: the namespace that holds the workflows.
        lazy: connect at the first call instead of now, and again after a failed one; such a
            client cannot carry a worker.
        runtime: where the SDK reports its metrics; None is the process's default.

    Raises:
        JobsUnavailable: the server did not answer within `CONNECT_TIMEOUT`.

    """
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = address
    config["namespace"] = namespace
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT.total_seconds()):
            return await Client.connect(
                **config, data_converter=DATA_CONVERTER, lazy=lazy, runtime=runtime
            )
    except (RuntimeError, TimeoutError) as error:
        raise JobsUnavailable(
            f"Temporal does not answer at {address}; check TEMPORAL_ADDRESS and that it runs."
        ) from error


async def settle() -> None:
    """Wait until the SDK's native threads are idle; a short-lived process awaits this last.

    Otherwise a thread that has just delivered a response may use the interpreter while it shuts
    down. That aborts the process (temporalio/sdk-python issue 300, seen with 1.35).
    """
    await asyncio.sleep(_SETTLING.total_seconds())
