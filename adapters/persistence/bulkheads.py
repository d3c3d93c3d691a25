"""The connection pools of one process, and the time limits of each.

Each bulkhead has connections of its own, so that reads that wait never take one from the webhooks.
The server's limits end a statement that waits or runs too long. Our own limit is longer, so it
ends only a statement whose connection is silent.
"""

from datetime import timedelta
from typing import NamedTuple


class Bulkhead(NamedTuple):
    """One pool's limits.

    Args:
        size: connections at most.
        wait: how long a unit of work waits for a connection (seconds).
        statement: after which the server ends a statement; None: the server's own setting.
        lock: after which the server ends the wait for one lock; None: the server's own setting.
        idle: after which the server ends a transaction without a statement, whose locks others
            wait for; None: 60 seconds.
        silence: after which a connection without an answer is terminated (seconds).

    """

    size: int = 10
    wait: float = 5.0
    statement: timedelta | None = None
    lock: timedelta | None = None
    idle: timedelta | None = None
    silence: float = 30.0

    @property
    def server_settings(self) -> dict[str, int]:
        """Return the limits that the server holds, by the names of its settings (milliseconds)."""
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return {
            # Zero would mean no limit.
            name: max(1, limit // timedelta(milliseconds=1))
            for name, limit in limits.items()
            if limit is not None
        }


_SECOND = timedelta(seconds=1)

# Wait and silence together are less than the eight seconds in which every delivery is answered.
WEBHOOKS = Bulkhead(
    size=6, wait=2.5, statement=4 * _SECOND, lock=3 * _SECOND, idle=5 * _SECOND, silence=5.0
)
PROBES = Bulkhead(
    size=1, wait=2.5, statement=2 * _SECOND, lock=_SECOND, idle=5 * _SECOND, silence=2.5
)
READS = Bulkhead(
    size=3, wait=2.5, statement=2 * _SECOND, lock=2 * _SECOND, idle=5 * _SECOND, silence=3.0
)
# A statement may run for half a minute.
COMMANDS = Bulkhead(statement=timedelta(seconds=29))


def jobs(size: int) -> Bulkhead:
    """Return the limits of jobs and commands with so many connections."""
    return COMMANDS._replace(size=size)
