from datetime import timedelta

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage, open_storage
from application.integrations.view_integration import CONNECT_PATH, ViewIntegration
from domain.integration import Status
from domain.secret import Secret
from tests.adapters.persistence.served import ring, served
from tests.application.support.building import Product
from tests.application.support.process import BREAKER

NEARLY_OVER = timedelta(minutes=100)
HOUR = timedelta(hours=1)
PAGE = 20

_SPOIL = "UPDATE calendly_integration SET {column} = $2 WHERE public_id = $1"
_COPY = """
UPDATE calendly_integration SET {column} = (
    SELECT {column} FROM calendly_integration WHERE public_id <> $1 LIMIT 1
) WHERE public_id = $1
"""


def unseen(_: object = None) -> None:
    """Ignores the progress."""


def view(product: Product, storage: PiccoloStorage) -> ViewIntegration:
    """Return the use case that shows an integration to its user."""
    return ViewIntegration(
        storage=storage,
        clock=product.clock,
        breaker_policy=BREAKER,
        public_url="https://slots.example",
    )


async def spoil(sql: asyncpg.Connection, which: object, column: str, how: str) -> None:
    """Spoil one sealed column of one row."""
    if how == "moved":
        await sql.execute(_COPY.format(column=column), which)
        return
    lost = ring("k3").seal(Secret("text"), "whatever")
    value = {"cut": "v1.k1.AAAA", "emptied": "", "lost key": lost}[how]
    await sql.execute(_SPOIL.format(column=column), which, value)


CODES = [
    ("cut", "sealed_value_corrupt"),
    ("emptied", "sealed_value_corrupt"),
    ("moved", "sealed_value_corrupt"),
    ("lost key", "encryption_key_unknown"),
]


@pytest.mark.parametrize(("how", "code"), CODES)
async def test_a_refresh_page_goes_on(
    database_url: Secret, sql: asyncpg.Connection, how: str, code: str
) -> None:
    """One account whose token does not open is put aside with its code; the others are kept."""
    product = Product()
    vault = ring("k1")
    async with open_storage(database_url, vault) as storage:
        process = served(product, storage, vault)
        bad, *good = [await product.connect(f"user-{number}") for number in range(4)]
        await spoil(sql, bad.id, "refresh_token_sealed", how)
        product.clock.advance(NEARLY_OVER)

        job_result = await process.refresh_due(PAGE, unseen)
        again = await process.refresh_due(PAGE, unseen)
        stored = await product.stored(bad.id)
        fresh = [await product.stored(each.id) for each in good]

    assert dict(job_result.failed) == {code: 1}
    assert dict(job_result.done) == {"refreshed": 3}
    assert (dict(again.done), dict(again.failed)) == ({}, {})
    assert (stored.status, stored.last_error_code) == (Status.ACTIVE, code)
    assert stored.breaker == bad.breaker
    assert all(each.tokens is not None and each.tokens.version == 2 for each in fresh)


@pytest.mark.parametrize(("how", "code"), CODES)
async def test_a_sync_page_goes_on(
    database_url: Secret, sql: asyncpg.Connection, how: str, code: str
) -> None:
    """One account whose access token does not open costs no other its sync."""
    product = Product()
    vault = ring("k1")
    async with open_storage(database_url, vault) as storage:
        process = served(product, storage, vault)
        bad, *_ = [await product.connect(f"user-{number}") for number in range(4)]
        await spoil(sql, bad.id, "access_token_sealed", how)

        job_result = await process.sync_due(PAGE, unseen)

    assert dict(job_result.failed) == {code: 1}
    assert dict(job_result.done) == {"synced": 3}


async def test_a_key_that_is_put_back_heals(database_url: Secret) -> None:
    """Within an hour of its key's return an account is refreshed as if nothing had been."""
    product = Product()
    async with open_storage(database_url, ring("k1")) as storage:
        served(product, storage, ring("k1"))
        ada = await product.connect("ada")
    product.clock.advance(NEARLY_OVER)
    async with open_storage(database_url, ring("k2")) as storage:
        process = served(product, storage, ring("k2"))
        without = await process.refresh_due(PAGE, unseen)
        shown = await view(product, storage)(ada.user_id)
    product.clock.advance(HOUR)
    async with open_storage(database_url, ring("k2", "k1")) as storage:
        process = served(product, storage, ring("k2", "k1"))
        healed = await process.refresh_due(PAGE, unseen)
        later = await view(product, storage)(ada.user_id)

    assert dict(without.failed) == {"encryption_key_unknown": 1}
    assert shown.action_required is not None
    assert shown.action_required.code == "encryption_key_unknown"
    assert shown.action_required.connect_path is None
    assert dict(healed.done) == {"refreshed": 1}
    assert (later.action_required, later.last_error_code) == (None, None)


async def test_corrupt_tokens_can_be_replaced(
    database_url: Secret, sql: asyncpg.Connection
) -> None:
    """For tokens that no key opens the user is shown the way to connect again."""
    product = Product()
    vault = ring("k1")
    async with open_storage(database_url, vault) as storage:
        process = served(product, storage, vault)
        ada = await product.connect("ada")
        await spoil(sql, ada.id, "refresh_token_sealed", "cut")
        product.clock.advance(NEARLY_OVER)
        await process.refresh_due(PAGE, unseen)
        shown = await view(product, storage)(ada.user_id)

    assert shown.action_required is not None
    assert shown.action_required.code == "sealed_value_corrupt"
    assert shown.action_required.connect_path == CONNECT_PATH
