"""Which requests a server takes on, and which connections it keeps.

Webhooks, probes and metrics are always taken on. Reads of the API may wait for the database. Many
of them would delay all users of the event loop, so their number is limited. Silent connections
are not a load: where too many are open, the oldest of them is closed.
"""

from typing import Any, Final, Generic, TypeVar

Connection = TypeVar("Connection")

MAX_READS: Final = 128
"""Reads that are taken on at a time. Most of them wait for their turn, and cost the event loop
nothing; `adapters.web.middleware.read_turns` says how many work."""

_EXEMPT = (b"/api/calendly/webhooks", b"/health/", b"/metrics")
_API = b"/api/"
_READING = (b"GET", b"HEAD")
# GETs that act: they are few, and a user waits for them.
_ACTING = (b"/api/calendly/connect", b"/api/calendly/callback", b"/api/cron/")


class Admission(Generic[Connection]):
    """The state of one server.

    Attributes:
        silent: connections that sent no head yet, the oldest first.
        kept: connections between two requests, in the order in which they became free.
        reads: reads of the API that are under way.

    """

    def __init__(self, most_reads: int = MAX_READS) -> None:
        self._most_reads = most_reads
        self.silent: dict[Connection, None] = {}
        self.kept: dict[Connection, None] = {}
        self.reads = 0

    def oldest(self) -> Connection | None:
        """Return a connection without a request: a silent one, if there is one."""
        return next(iter(self.silent or self.kept), None)

    def drop(self, connection: Connection) -> None:
        self.silent.pop(connection, None)
        self.kept.pop(connection, None)

    def admits(self, method: bytes, target: bytes, *, full: bool) -> bool:
        """Return whether a request is taken on.

        Args:
            method: of the request.
            target: its path and query.
            full: as many requests as may be are under way.

        """
        if target.startswith(_EXEMPT):
            return True
        return not full and (self.reads < self._most_reads or not is_read(method, target))

    def counted(self, app: Any) -> Any:
        """Count a read from now until the application has run, and return the application."""
        self.reads += 1

        async def run(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self.reads -= 1

        return run


def is_read(method: bytes, target: bytes) -> bool:
    """Return whether a request only reads the API.

    Args:
        method: of the request.
        target: its path, with or without its query.

    """
    return (
        method in _READING
        and target.startswith(_API)
        and not target.startswith((*_EXEMPT, *_ACTING))
    )
