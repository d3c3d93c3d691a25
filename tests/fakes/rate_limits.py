"""The waits that Calendly asked of users' calls, as one process read them."""

from datetime import datetime, timedelta

from application.ports.clock import Clock


class FakeCallPauses:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, datetime] = {}

    def ask(self, user_uri: str, seconds: float) -> None:
        self._until[user_uri] = self._clock.now() + timedelta(seconds=seconds)

    def paused_until(self, user_uri: str) -> datetime | None:
        until = self._until.get(user_uri)
        return until if until is not None and until > self._clock.now() else None
