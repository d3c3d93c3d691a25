"""HTTP/1.1 with bounds on what a connection may cost before its request is complete.

uvicorn's parser keeps header lines without end and waits for them without end. So this protocol
counts the bytes of a head, and gives head and body a time limit. `Admission` refuses requests
before any application runs.
"""

import asyncio
from enum import Enum, auto
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from adapters.web.http.admission import Admission, is_read
from adapters.web.http.refusals import (
    BODY_TOO_SLOW,
    HEAD_TOO_LARGE,
    OVERLOADED,
    OVERLOADED_LAST,
    TRAILERS_TOO_LARGE,
    count_refusal,
)

MAX_HEAD: Final = 64 * 1024
"""Bytes of the request line and all headers, and again of the trailers."""

HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 20.0
"""The time limits of a head and of a body. The webhooks' own limit of a body is shorter."""

LINGER_SECONDS: Final = 2.0
MAX_DISCARDED: Final = 1024 * 1024
"""How long, and how many bytes, a refused sender may go on until its connection is reset."""

# Chunked framing costs a small chunk several times its size; more than this is not a body.
_FRAMING = 8
_HEAD_END = b"\r\n\r\n"


class _Phase(Enum):
    IDLE = auto()
    HEAD = auto()
    BODY = auto()


class BoundedProtocol(HttpToolsProtocol):
    """One connection; see the module.

    `limit_concurrency` of uvicorn's configuration is here the number of connections, beyond which
    the oldest without a request is closed. With that many requests under way, further ones are
    answered 503, except webhooks, probes and metrics.
    """

    _admissions: ClassVar[WeakKeyDictionary[ServerState, Admission["BoundedProtocol"]]] = (
        WeakKeyDictionary()
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most = config.limit_concurrency
        self.limit_concurrency = None
        self._admission = self._admissions.setdefault(server_state, Admission())
        self._phase = _Phase.IDLE
        self._head_bytes = 0
        self._head_tail = b""
        self._received = self._body_bytes = 0
        self._skips = False
        self._discarded: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timed = _Phase.IDLE

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._make_room()
        self._admission.silent[self] = None
        self._time(_Phase.HEAD, HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._admission.drop(self)
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless that is more than a head or a body may have."""
        if self.transport.is_closing() or self._discards(data):
            return
        began_in = self._phase
        if began_in is _Phase.BODY:
            self._received += len(data)
        elif self._is_too_large(data):
            self._refuse(HEAD_TOO_LARGE)
            return
        super().data_received(data)
        if self.transport.is_closing() or self._discarded is not None:
            return
        if self._phase is _Phase.IDLE:
            self._stop_timer()
        elif self._phase is _Phase.HEAD:
            self._note_head(data, whole=began_in is not _Phase.BODY)
            self._time(_Phase.HEAD, HEAD_SECONDS)
        elif self._received > _FRAMING * self._body_bytes + MAX_HEAD:
            self._abandon(TRAILERS_TOO_LARGE)
        else:
            self._time(_Phase.BODY, BODY_SECONDS)

    def on_message_begin(self) -> None:
        self._phase = _Phase.HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._phase = _Phase.BODY
        self._head_bytes = self._received = self._body_bytes = 0
        self._head_tail = b""
        self._admission.drop(self)
        cycle: Any = self.cycle  # None before the first request
        under_way = cycle is not None and not cycle.response_complete
        full = self._most is not None and len(self.tasks) >= self._most
        method = self.parser.get_method()
        self.app = self.config.loaded_app
        self._skips = False
        # A request that arrives before the answer to the one before waits for its turn.
        if not under_way:
            if not self._admission.admits(method, self.url, full=full):
                self._turn_away()
                return
            if is_read(method, self.url):
                self.app = self._admission.counted(self.app)
        super().on_headers_complete()

    def _turn_away(self) -> None:
        """Refuse a request and keep its connection, before an application costs anything."""
        self._skips = True
        keeps = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        answer = OVERLOADED if keeps else OVERLOADED_LAST
        count_refusal(answer)
        self.transport.write(answer)
        if keeps:
            super().on_response_complete()
        else:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if not self._skips:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._phase = _Phase.IDLE
        if self._skips:
            self._admission.kept[self] = None
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._phase is _Phase.IDLE and self.cycle.response_complete:
            self._admission.kept[self] = None

    def _make_room(self) -> None:
        if self._most is None or len(self.connections) <= self._most:
            return
        oldest = self._admission.oldest()
        if oldest is not None:
            oldest.leave()
        elif len(self.connections) > 2 * self._most:
            self.leave()

    def leave(self) -> None:
        """Close a connection that has no request under way."""
        self._admission.drop(self)
        self.connections.discard(self)
        self.transport.abort()

    def _is_too_large(self, data: bytes) -> bool:
        """Return whether a head goes on beyond the limit; a body may follow it in `data`."""
        left = MAX_HEAD - self._head_bytes
        return len(data) > left and _HEAD_END not in self._head_tail + data[: max(left, 0)]

    def _note_head(self, data: bytes, *, whole: bool) -> None:
        """Count the bytes of a head; a chunk that began with a body is left out."""
        if whole:
            self._head_bytes += len(data)
        self._head_tail = (self._head_tail + data[-3:])[-3:]

    def _time(self, phase: _Phase, seconds: float) -> None:
        """Limit a phase; a limit that runs goes on."""
        if self._timed is phase:
            return
        self._stop_timer()
        self._timed = phase
        self._timer = self.loop.call_later(seconds, self._out_of_time)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._timed = _Phase.IDLE

    def _out_of_time(self) -> None:
        phase, self._timer, self._timed = self._timed, None, _Phase.IDLE
        if phase is _Phase.HEAD:
            self.transport.close()
        elif self.flow.read_paused:
            # The application takes its time, not the sender.
            self._time(phase, BODY_SECONDS)
        else:
            self._abandon(BODY_TOO_SLOW)

    def _abandon(self, answer: bytes) -> None:
        """End a request whose application runs."""
        if self._skips:
            self.transport.close()
            return
        started, self.cycle.disconnected = self.cycle.response_started, True
        self.cycle.message_event.set()
        if started:
            self.transport.close()
        else:
            self._refuse(answer)

    def _refuse(self, answer: bytes) -> None:
        """Answer, and close once the sender has read the answer."""
        cycle: Any = self.cycle  # None before the first request
        if cycle is not None:
            cycle.disconnected = True
        count_refusal(answer)
        self.transport.write(answer)
        # A close now would reset the connection, and the sender would not see the answer.
        self.transport.write_eof()
        self._stop_timer()
        self._discarded = 0
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _discards(self, data: bytes) -> bool:
        """Return whether the connection is refused; then some more is read and forgotten."""
        if self._discarded is None:
            return False
        self._discarded += len(data)
        if self._discarded > MAX_DISCARDED:
            self.transport.abort()
        return True
