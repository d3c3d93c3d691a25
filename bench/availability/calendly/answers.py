"""One request after the other, answered as Calendly does: whose token, how often, what, tagged."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qs

from bench.availability.calendly import bodies
from bench.availability.calendly.diary import Diary
from bench.availability.calendly.hosts import EVENT_TYPES, QUARTER, Host, Span, host_of

PAID = 500  # requests a minute and user (Calendly: API limits)
_MINUTE = 60.0
_MASK = 2**64 - 1


class Asked(NamedTuple):
    """A GET: path and query as they came, and two of its headers."""

    path: str
    query: str
    authorization: str
    if_none_match: str | None = None


class Answer(NamedTuple):
    """What goes back."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class Calendly:
    """All hosts there could be, as their owner sees them.

    Args:
        clock: the time (UNIX seconds).
        limit: requests a minute and user.

    Attributes:
        calls: how often each path was asked for, whatever came of it.
        calls_of: how often each host's token was shown, by the host's number.
        statuses: how often each status was answered.
        is_down: every request is answered 503.

    """

    def __init__(self, clock: Callable[[], float], limit: int = PAID) -> None:
        self.diary = Diary()
        self.calls: Counter[str] = Counter()
        self.calls_of: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()
        self.is_down = False
        self._clock = clock
        self._limit = limit
        self._windows: dict[int, tuple[float, int]] = {}

    def answer(self, asked: Asked) -> Answer:
        """Answer a request."""
        self.calls[asked.path] += 1
        answer = self._answer(asked)
        self.statuses[answer.status] += 1
        return answer

    def _answer(self, asked: Asked) -> Answer:
        try:
            host, _ = host_of(asked.authorization.removeprefix("Bearer "))
        except ValueError:
            return Answer(401, {})
        self.calls_of[host.number] += 1
        if self.is_down:
            return Answer(503, {})
        left = self._take(host)
        headers = {
            "content-type": "application/json",
            "x-ratelimit-limit": str(self._limit),
            "x-ratelimit-remaining": str(max(left, 0)),
            "x-ratelimit-reset": "60",
        }
        if left < 0:
            return Answer(429, headers)
        body = self._body(asked, host)
        if body is None:
            return Answer(404, headers)
        etag = f'W/"{hash(body) & _MASK:016x}"'
        headers["etag"] = etag
        if asked.if_none_match == etag:
            return Answer(304, headers)
        return Answer(200, headers, body)

    def _take(self, host: Host) -> int:
        """Count a request of the user; how many are left in this minute, below 0 one too many."""
        now = self._clock()
        opened, used = self._windows.get(host.number, (now, 0))
        if now >= opened + _MINUTE:
            opened, used = now, 0
        self._windows[host.number] = opened, used + 1
        return self._limit - used - 1

    def _body(self, asked: Asked, host: Host) -> bytes | None:
        params = {name: values[0] for name, values in parse_qs(asked.query).items()}
        match asked.path:
            case "/event_types":
                return bodies.event_types(host)
            case "/user_availability_schedules":
                return bodies.schedules(host)
            case "/user_busy_times":
                return bodies.busy_times(self.diary, host, _span(params))
            case "/event_type_available_times":
                owner, number = host_of(params["event_type"])
                kind = EVENT_TYPES[number - 1]
                return bodies.available_times(self.diary, owner, kind, _span(params))
        return None


def _span(params: dict[str, str]) -> Span:
    """Return the first quarter at or after each bound."""
    return Span(
        *(
            -int(-datetime.fromisoformat(params[name]).timestamp() // QUARTER)
            for name in ("start_time", "end_time")
        )
    )
