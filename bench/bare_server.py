"""`python -m bench.bare_server PORT [FILE]`: bare routes of Litestar, served as the service is.

`GET` of the availability answers with the bodies of the file in turn; any `POST` answers 204.
"""

import sys
from itertools import cycle
from pathlib import Path

import msgspec
from litestar import Litestar, MediaType, get, post
from litestar.params import RawBody

from bench.serving import serve

AVAILABILITY = "/api/calendly/availability"
HEALTH = "/health/live"


@post("/{path:path}", status_code=204)
async def _nothing(body: RawBody) -> None:
    """Read the body, and answer."""


@get(HEALTH)
async def _live() -> None:
    """Answer."""


def application(bodies: list[bytes]) -> Litestar:
    """Return an application that answers with these bodies in turn."""
    turns = cycle(bodies)

    @get(AVAILABILITY, media_type=MediaType.JSON)
    async def answer() -> bytes:
        """Answer."""
        return next(turns)

    return Litestar([answer, _nothing, _live], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    content = b"".join(Path(name).read_bytes() for name in sys.argv[2:])
    stored = msgspec.msgpack.decode(content, type=list[bytes]) if content else []
    serve(application(stored), int(sys.argv[1]))
