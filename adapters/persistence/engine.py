"""The engine that every table is bound to.

It has no address of its own. A query runs on the connection of the unit of work in which it is
awaited; outside of one it is an error. So two stores may live in one process.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

from piccolo.engine.postgres import PostgresEngine
from piccolo.querystring import QueryString

from adapters.persistence.errors import translated


class QueryOutsideUnitOfWorkError(RuntimeError):
    """A query was awaited where no transaction is open: a mistake in our own code."""


class InertEngine(PostgresEngine):
    """An engine whose making connects to nothing; Piccolo's asks the server for its version."""

    async def check_version(self) -> None:
        """Skip Piccolo's connection at import."""

    async def prep_database(self) -> None:
        """Skip Piccolo's extensions: none is used."""


class UnitOfWorkEngine(InertEngine):
    """Runs queries on the current transaction, and translates their errors."""

    async def get_new_connection(self) -> NoReturn:
        """Refuse: Piccolo opens a connection a query when there is no transaction."""
        raise QueryOutsideUnitOfWorkError("A query ran outside a unit of work.")

    async def run_querystring(
        self, querystring: QueryString, in_pool: bool = True
    ) -> Sequence[Any]:
        with translated():
            rows: Sequence[Any] = await super().run_querystring(querystring, in_pool)
        return rows


ENGINE = UnitOfWorkEngine(config={})
