"""The identity of one request, in its answer, its log lines and its problem details."""

import re
from secrets import token_hex

from litestar.types import Scope

_BYTES = 16
_ACCEPTABLE = re.compile(rb"[A-Za-z0-9._-]{1,128}")


def choose_request_id(scope: Scope) -> str:
    """Return the caller's X-Request-Id when it is harmless to repeat, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTABLE.fullmatch(value):
            return value.decode("ascii")
    return token_hex(_BYTES)


def request_id_of(scope: Scope) -> str:
    """Return the id that `RequestLog` gave to this request."""
    return str(scope["state"]["request_id"])
