"""Translates asyncpg's errors to errors of the service, here and nowhere else.

PostgreSQL's DETAIL quotes rows, so nothing of its text is kept: only the kind of error, the
table and the constraint.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from domain.errors import SlotkeeperError, StorageContended, StorageUnavailable

# The server is healthy and reports that this transaction met another one. A violated foreign key
# is among them, because the row it names was just erased. So is a canceled statement, because a
# statement time-out cancels one that waited.
_CONTENDED = (
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.ForeignKeyViolationError,
)
# Worth a retry: the server is down or too busy. A time-out of ours belongs here, not above. To
# limit a wait for locks the service sets a server time-out, so silence is not a lock.
_ENDS_SESSION = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.CannotConnectNowError,
    # After a failover the old server goes on answering, and its sessions stay read-only.
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    OSError,
    asyncio.TimeoutError,
)
_PASSING = (
    *_ENDS_SESSION,
    asyncpg.InsufficientResourcesError,
    # A migration changed a table since its statement was prepared; a retry prepares it again.
    asyncpg.InvalidCachedStatementError,
)
# The schema does not fit this version of the code: its migration is still to run. A caller may
# repeat the request, and `slotkeeper migrate` fixes it.
_UNMIGRATED = (
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedTableError,
)


class StoreRefused(SlotkeeperError):
    """PostgreSQL refused a statement permanently: a broken rule, a value that does not fit, missing rights."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise what asyncpg raises inside as an error of the service.

    Raises:
        StorageContended: another transaction is in the way: a lock, a deadlock, an erased row.
        StorageUnavailable: for whatever else passes: no connection, a time-out, a missing migration.
        StoreRefused: for everything else; its diagnosis names the constraint, never a value.

    """
    try:
        yield
    except _CONTENDED as error:
        raise StorageContended(
            "Another request changes the same at the moment: repeat this one after a second.",
            diagnosis=type(error).__name__,
        ) from None
    except _PASSING as error:
        if isinstance(error, ValueError):
            # asyncpg's InterfaceError for a value that does not fit its parameter.
            raise _refused(error) from None
        raise StorageUnavailable(
            "The database is not available at the moment: try again later.",
            diagnosis=type(error).__name__,
        ) from None
    except _UNMIGRATED as error:
        raise StorageUnavailable(
            "The database's schema does not fit this version: run `slotkeeper migrate`.",
            diagnosis=type(error).__name__,
        ) from None
    except asyncpg.PostgresError as error:
        raise _refused(error) from None


def ends_session(error: BaseException) -> bool:
    """Return whether the session of a connection can no longer work, or may not.

    Args:
        error: asyncpg's, or the one that `translated` made of it.

    """
    original = error.__context__ if isinstance(error, StorageUnavailable) else error
    return isinstance(original, _ENDS_SESSION) and not isinstance(
        original, (*_CONTENDED, ValueError)
    )


def _refused(error: Exception) -> StoreRefused:
    named = [
        f"{what} {name}"
        for what, name in (
            ("table", getattr(error, "table_name", None)),
            ("constraint", getattr(error, "constraint_name", None)),
        )
        if name
    ]
    return StoreRefused(
        "The database refused this permanently. The log has the reason, at error level.",
        diagnosis=", ".join((type(error).__name__, *named)),
    )
