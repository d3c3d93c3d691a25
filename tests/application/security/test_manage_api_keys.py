from datetime import timedelta

import pytest

from application.security.hashing import digest
from application.security.manage_api_keys import ManageApiKeys
from domain.audit import Actor
from domain.errors import StorageUnavailable
from tests.application.support.building import Product


@pytest.fixture
def keys(product: Product) -> ManageApiKeys:
    """The use case."""
    return ManageApiKeys(
        storage=product.storage, randomness=product.randomness, clock=product.clock
    )


async def test_a_key_is_shown_once(keys: ManageApiKeys, product: Product) -> None:
    """Only a key's digest and its first characters are stored."""
    record, secret = await keys.create("back end")

    (row,) = product.storage.state.api_keys.values()
    assert row.key == record
    assert row.key_hash == digest(secret.reveal())
    assert secret.reveal().startswith("sk_")
    assert record.prefix == secret.reveal()[:10]
    assert len(secret.reveal()) > 40


async def test_keys_are_listed_oldest_first(keys: ManageApiKeys, product: Product) -> None:
    """The list has every key, the revoked ones as well."""
    first, _ = await keys.create("first")
    product.clock.advance(timedelta(days=1))
    second, _ = await keys.create("second")
    await keys.revoke(first.id)

    listed = await keys.all()

    assert [each.id for each in listed] == [first.id, second.id]
    assert [each.revoked_at for each in listed] == [product.clock.now(), None]


async def test_a_key_is_revoked_once(keys: ManageApiKeys, product: Product) -> None:
    """Revoking a revoked or unknown key changes nothing and reports it."""
    record, _ = await keys.create("back end")

    answers = [await keys.revoke(record.id), await keys.revoke(record.id)]

    assert answers == [True, False]
    assert not await keys.revoke(product.randomness.new_id())


async def test_changes_of_keys_are_audited(keys: ManageApiKeys, product: Product) -> None:
    """Each change leaves one entry with its actor; a revocation without effect leaves none."""
    by = Actor("cli:ada@host")
    record, secret = await keys.create("back end", by=by)
    await keys.revoke(record.id, by)
    await keys.revoke(record.id, by)

    entries = list(product.storage.state.audit.values())

    assert [(each.action, each.subject_id, each.actor) for each in entries] == [
        ("api_key_created", record.id, "cli:ada@host"),
        ("api_key_revoked", record.id, "cli:ada@host"),
    ]
    assert record.created_by == "cli:ada@host"
    assert secret.reveal() not in repr(entries)


async def test_a_key_without_its_entry_is_not_stored(
    keys: ManageApiKeys, product: Product
) -> None:
    """The key and its entry share a transaction: a lost commit stores neither."""
    product.storage.fail_next_commit()

    with pytest.raises(StorageUnavailable):
        await keys.create("back end")

    assert product.storage.state.api_keys == {}
    assert product.storage.state.audit == {}
