"""Connecting to Temporal.

Address and namespace come from the settings; everything else (TLS, API key, gRPC metadata) from
Temporal's own variables and configuration file, as its CLI reads them.
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
    """Let the SDK's native threads come to rest; the last thing a short-lived process awaits.

    Without it a thread that just delivered an answer may touch the interpreter while that ends,
    which aborts the process (temporalio/sdk-python issue 300, seen with 1.35).
    """
    await asyncio.sleep(_SETTLING.total_seconds())
