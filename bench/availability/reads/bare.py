"""The yardstick: a bare route of Litestar that returns given bytes, served as ours are.

`python -m bench.availability.reads.bare PORT FILE`.
"""

import sys
from pathlib import Path

import uvicorn
from litestar import Litestar, MediaType, get

from adapters.commands.web import GRACE_SECONDS, KEEP_ALIVE_SECONDS, MOST_CONNECTIONS
from bench.availability.reads.warmth import PATH


def application(body: bytes) -> Litestar:
    """Return an application that answers these bytes."""

    @get(PATH, media_type=MediaType.JSON)
    async def answer() -> bytes:
        """Answer."""
        return body

    return Litestar([answer], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    uvicorn.run(
        application(Path(sys.argv[2]).read_bytes()),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        limit_concurrency=MOST_CONNECTIONS + 1,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
