"""One question to a local process over HTTP: does this address answer with 200 now.

It is asked many times a second while a stack starts, so it must cost next to nothing.
"""

from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 2.0


def answers_ok(url: str) -> bool:
    """False for any other status and while nobody listens; takes at most a few seconds."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        with closing(connection):
            connection.request("GET", parts.path or "/")
            return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
