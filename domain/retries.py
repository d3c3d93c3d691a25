"""The retry table: after which error, where, how far apart and how often.

    where          Repeat.AT_ONCE, LATER, NEVER      base     cap      limit
    in a request   yes, no, no                       RETRY_BASE, RETRY_CAP, RETRY_LIMIT
    in a job       yes, yes, no
        Calendly's errors                            RETRY_JOB_BASE, RETRY_JOB_CAP
        our own store, leases and the like           1 s      1 min
    a put-off refresh                                30 s     15 min
    storing an outcome                               200 ms   5 s      12

A job's attempts end with the time-outs of its activity. `Retry-After`, `X-RateLimit-Reset` and an
open breaker take precedence everywhere: each is the minimum wait.
"""

from datetime import timedelta
from typing import Final

import msgspec

from domain.backoff import RetryPolicy, delay, is_worth_repeating, next_delay
from domain.errors import CalendlyError, CircuitOpen, SlotkeeperError

REFRESH_BACKOFF: Final = RetryPolicy(base=timedelta(seconds=30), cap=timedelta(minutes=15))
"""How long a refresh waits after a transient failure, by consecutive failures."""

STORING: Final = RetryPolicy(base=timedelta(milliseconds=200), cap=timedelta(seconds=5), limit=12)
"""Storing what cannot be asked for again; about as long as a request leaves of its lease."""

OWN: Final = RetryPolicy(base=timedelta(seconds=1), cap=timedelta(minutes=1))
"""A job that met our own side down: back soon, once PostgreSQL or a deploy is."""

# No delay at all counts as none given where a job's next delay is handed on.
SHORTEST: Final = timedelta(milliseconds=100)


class RetryTable(msgspec.Struct, frozen=True):
    """The table as configured.

    Args:
        request: repeats within a request, while its caller waits.
        calendly: the next attempt of a job that Calendly kept from its work; `limit` is not used.

    """

    request: RetryPolicy = RetryPolicy()
    calendly: RetryPolicy = RetryPolicy(base=timedelta(seconds=2), cap=timedelta(minutes=5))

    def in_request(self, error: SlotkeeperError, attempt: int, chance: float) -> timedelta | None:
        """Return the wait before the same call is repeated, or None: hand the error on.

        Args:
            error: of the attempt that failed; a wait beyond the cap that it asks for is handed on.
            attempt: its number, counted from 1.
            chance: a random number in [0, 1).

        """
        return next_delay(self.request, attempt, error, chance)

    def in_job(
        self, error: SlotkeeperError, attempt: int, chance: float, *, persistent: bool = False
    ) -> timedelta | None:
        """Return the wait before a job's next attempt, or None: it is final.

        A requested wait is never shortened. Jitter is added to it, so that callers with the same
        wait do not all return in the same moment.

        Args:
            error: of the attempt that failed.
            attempt: its number, counted from 1.
            chance: a random number in [0, 1).
            persistent: retry after any error: an operator may fix its cause before the next attempt.

        """
        if not (persistent or is_worth_repeating(error)):
            return None
        policy = self._of_job(error)
        if error.retry_after is None:
            return max(delay(policy, attempt, chance), SHORTEST)
        asked = timedelta(seconds=max(error.retry_after, 0))
        return max(asked + delay(policy, 1, chance), SHORTEST)

    def _of_job(self, error: SlotkeeperError) -> RetryPolicy:
        of_calendly = isinstance(error, CalendlyError | CircuitOpen)
        return self.calendly if of_calendly else OWN
