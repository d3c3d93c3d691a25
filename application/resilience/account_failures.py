"""Distinguish failures of one account from an outage of Calendly, as far as one process can see.

A failure that is not counted here is hidden from a breaker that protects all users. When in doubt,
a failure is evidence.
"""

from datetime import datetime, timedelta

MOST_REMEMBERED = 10_000  # accounts; forgetting one makes its next failure evidence


class AccountFailures:
    """Which accounts keep failing while others get answers; one for each surface.

    A failure of an account is not evidence of an outage if three things hold within the window.
    The account has failed before, has had no answer since, and another account has had one since.
    So the first failure of each account is always evidence. An account that fails for its own
    reasons counts once, and again only after a window in which no other account was answered. The
    shared breaker limits the rest: see `domain.circuit_breaker.MOST_OF_ONE_ACCOUNT`.

    Args:
        window: how long another account's answer says that the host is well.

    """

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._failing_since: dict[str, datetime] = {}
        self._answered_at: datetime | None = None
        # The latest answers of two accounts: for each account, one of them is another's.
        self._latest: dict[str, datetime] = {}

    def answered(self, subject: str, now: datetime) -> None:
        """An account got an answer, which may be a refusal."""
        self._failing_since.pop(subject, None)
        self._answered_at = now
        self._latest.pop(subject, None)
        self._latest[subject] = now
        if len(self._latest) > 2:  # noqa: PLR2004 - as above
            del self._latest[next(iter(self._latest))]

    def others_answered(self, subject: str, now: datetime) -> bool:
        """Whether another account got an answer within the window."""
        return any(
            each != subject and now - at < self._window for each, at in self._latest.items()
        )

    def is_evidence(self, subject: str, now: datetime) -> bool:
        """Take note that an account failed; return whether that speaks against the host."""
        since = self._failing_since.setdefault(subject, now)
        if len(self._failing_since) > MOST_REMEMBERED:
            del self._failing_since[next(iter(self._failing_since))]
        if not self._explained(since):
            return True
        return self._answered_at is None or now - self._answered_at >= self._window

    def outage(self) -> None:
        """The host is down: who failed because of that is under no suspicion afterwards."""
        self._failing_since = {
            subject: since
            for subject, since in self._failing_since.items()
            if self._explained(since)
        }

    def _explained(self, since: datetime) -> bool:
        # Its own answer would have ended the failing: this one is another account's.
        return self._answered_at is not None and self._answered_at > since
