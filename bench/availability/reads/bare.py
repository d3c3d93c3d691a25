"""The yardstick: a bare route of Litestar that returns given bytes in turn, served as ours are.

`python -m bench.availability.reads.bare PORT FILE`.
"""

import sys
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import msgspec
import uvicorn
from litestar import Litestar, MediaType, get

from adapters.commands.web import GRACE_SECONDS, KEEP_ALIVE_SECONDS, MAX_CONNECTIONS
from bench.availability.reads.warmth import PATH


def application(bodies: Sequence[bytes]) -> Litestar:
    """Return an application that answers with these bodies, one after the other."""
    turns = cycle(bodies)

    @get(PATH, media_type=MediaType.JSON)
    async def answer() -> bytes:
        """Answer."""
        return next(turns)

    return Litestar([answer], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    uvicorn.run(
        application(msgspec.msgpack.decode(Path(sys.argv[2]).read_bytes(), type=list[bytes])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        limit_concurrency=MAX_CONNECTIONS + 1,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
