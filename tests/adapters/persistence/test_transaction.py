from contextlib import suppress
from typing import Self

import asyncpg
import pytest

from adapters.persistence.engine import ENGINE, QueryOutsideUnitOfWorkError
from adapters.persistence.session import Session
from adapters.persistence.tables.core import AppUser
from adapters.persistence.transaction import OwnedTransaction, begin
from domain.errors import StorageUnavailable


class DyingConnection:
    """A connection that dies at one step of its transaction."""

    def __init__(self, dies_at: str) -> None:
        self._dies_at = dies_at
        self.given_back = 0
        self.said: list[str] = []

    async def execute(self, statement: str) -> None:
        """Run one of the statements that a transaction is made of."""
        self.said.append(statement)
        self._step(statement.partition(";")[0])

    async def acquire(self) -> Self:
        """Lend it."""
        return self

    async def release(self, connection: object) -> None:
        """Take it back."""
        assert connection is self
        self.given_back += 1
        self._step("release")

    async def terminate(self, connection: object) -> None:
        """Take it back from a canceled task."""
        await self.release(connection)

    async def discard(self, connection: object) -> None:
        """Take it back, to be closed."""
        await self.release(connection)

    def _step(self, name: str) -> None:
        if name == self._dies_at:
            raise asyncpg.ConnectionDoesNotExistError


def transaction_on(connection: DyingConnection) -> OwnedTransaction:
    """Return a transaction on the connection, not begun."""
    return OwnedTransaction(ENGINE, connection)


@pytest.mark.parametrize("step", ["BEGIN", "COMMIT"])
async def test_a_dead_connection_is_reported(step: str) -> None:
    """A begin or commit on a dead connection is an error, and the connection is released."""
    connection = DyingConnection(step)

    with pytest.raises(StorageUnavailable):
        async with transaction_on(connection) as transaction:
            await transaction.commit()

    assert connection.given_back == 1


@pytest.mark.parametrize("step", ["ROLLBACK", "release"])
async def test_moot(step: str) -> None:
    """A rollback or a return that fails changes nothing: the error of the block goes on."""
    connection = DyingConnection(step)

    with pytest.raises(LookupError, match="mine"):
        async with transaction_on(connection):
            raise LookupError("mine")
    async with transaction_on(connection):
        pass

    assert connection.given_back == 2


async def test_next_after_failure() -> None:
    """After any failure the same task can begin again."""
    for step in ("BEGIN", "COMMIT", "ROLLBACK", "release"):
        with suppress(StorageUnavailable):
            async with transaction_on(DyingConnection(step)) as transaction:
                if step != "ROLLBACK":
                    await transaction.commit()

        assert not ENGINE.transaction_exists()


async def test_the_lock_time_out_costs_no_round_trip() -> None:
    """The lock wait is set in the statement that begins the transaction."""
    connection = DyingConnection("never")
    transaction = OwnedTransaction(ENGINE, connection, begin({"lock_timeout": 250}))

    async with transaction:
        await transaction.commit()

    assert connection.said == ["BEGIN; SET LOCAL lock_timeout = 250", "COMMIT"]


async def test_outside() -> None:
    """A query outside a unit of work is a mistake that is named, not a connection of its own."""
    with pytest.raises(QueryOutsideUnitOfWorkError):
        await AppUser.select()
    with pytest.raises(QueryOutsideUnitOfWorkError):
        await Session().run("SELECT 1")
