from datetime import timedelta

import pytest

from application.security.rotate_encryption import RotateEncryption, Rotation, Unreadable
from application.tokens.token_encryption import open_both
from domain.errors import StorageUnavailable
from domain.integration import Integration
from tests.application.support.building import Product
from tests.application.support.connecting import Flow
from tests.application.support.corrupting import corrupt
from tests.application.support.leasing import leased
from tests.application.support.process import LEASE, Process
from tests.refresh_records import finish

REFRESH = "calendly_integration.refresh_token_sealed"


class Rotating:
    """The use case, with its reports."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.named: list[Unreadable] = []
        self.told: list[tuple[str, int]] = []

    async def __call__(self) -> Rotation:
        """Rotate."""
        rotate = RotateEncryption(
            storage=self.product.storage,
            ring=self.product.vault,
            clock=self.product.clock,
            resealing=lambda column, resealed: self.told.append((column, resealed)),
            unreadable=self.named.append,
        )
        return await rotate()


@pytest.fixture
def rotating(product: Product) -> Rotating:
    """A rotation of the product's store."""
    return Rotating(product)


async def openable(product: Product, *connected: Integration) -> bool:
    """Whether the tokens of all these open; raises what opening raises."""
    for each in connected:
        stored = await product.stored(each.id)
        assert stored.tokens is not None
        open_both(product.vault, stored.id, stored.tokens)
    return True


async def test_every_value_comes_under_the_new_key(
    product: Product, process: Process, rotating: Rotating
) -> None:
    """After a rotation the earlier key can go, and tokens and connect flows go on."""
    ada, bob = await product.connect("ada"), await product.connect("bob")
    flow = Flow(product, process, product.calendly.add_user())
    await flow.begin(await product.user("carl"))
    held = Flow(product, process, product.calendly.add_user())
    await held.begin(await product.user("dora"))
    came_back = await held.come_back()
    product.vault.rotate()

    rotation = await rotating()
    again = await rotating()
    product.vault.lose("key-1")

    assert (rotation, again) == (Rotation(resealed=7), Rotation())
    assert rotation.is_complete
    assert rotating.named == []
    assert rotating.told[-1] == ("calendly_connect_attempt.code_sealed", 1)
    assert await openable(product, ada, bob)
    assert (await flow.complete()).error is None
    await held.confirm(came_back)
    assert (await process.refresh.run(ada.id)).last_error_code is None


async def test_many_pages(product: Product, rotating: Rotating) -> None:
    """Any number of values is resealed, a page at a time."""
    connected = [await product.connect(f"user-{number}") for number in range(205)]
    product.vault.rotate()

    rotation = await rotating()
    product.vault.lose("key-1")

    assert rotation.resealed == 410
    assert [done for column, done in rotating.told if column == REFRESH] == [100, 200, 205]
    assert await openable(product, *connected)


async def test_an_interrupted_rotation_is_begun_again(
    product: Product, rotating: Rotating
) -> None:
    """The finished part of an interrupted rotation stays, and the next run does the rest."""
    connected = [await product.connect(f"user-{number}") for number in range(150)]
    product.vault.rotate()
    # The list of columns, the first page read and stored, and then nothing any more.
    product.storage.fail_next(None, None, None, *[StorageUnavailable("away")] * 12)
    with pytest.raises(StorageUnavailable):
        await rotating()
    half_way = list(rotating.told)

    rotation = await rotating()
    product.vault.lose("key-1")

    assert half_way == [("calendly_integration.access_token_sealed", 100)]
    assert rotation == Rotation(resealed=200)
    assert await openable(product, *connected)


async def test_a_short_outage_is_sat_out(product: Product, rotating: Rotating) -> None:
    """A store that is down for a moment does not end the rotation."""
    await product.connect()
    product.vault.rotate()
    product.storage.fail_next(None, StorageUnavailable("away"), StorageUnavailable("away"))

    assert await rotating() == Rotation(resealed=2)


async def test_a_lost_key_is_named(product: Product, rotating: Rotating) -> None:
    """A value under a key that is gone is named with it and stays; with the key it is done."""
    ada = await product.connect("ada")
    product.vault.rotate()
    await product.connect("bob")
    product.vault.lose("key-1")
    product.vault.rotate()

    without = await rotating()
    untouched = await product.stored(ada.id)
    product.vault.regain("key-1")
    whole = await rotating()

    assert without == Rotation(resealed=2, unreadable=2)
    assert not without.is_complete
    assert {(each.owner, each.key_id, each.code) for each in rotating.named} == {
        (ada.id, "key-1", "encryption_key_unknown")
    }
    assert untouched.tokens == ada.tokens
    assert whole == Rotation(resealed=2)


async def test_what_was_never_sealed_is_named(product: Product, rotating: Rotating) -> None:
    """A corrupt value is named as such, is quoted nowhere, and stops nothing."""
    ada, bob = await product.connect("ada"), await product.connect("bob")
    await corrupt(product, ada, refresh="not-a-sealed-value")
    product.vault.rotate()

    rotation = await rotating()

    assert rotation == Rotation(resealed=3, unreadable=1)
    assert rotating.named == [
        Unreadable(column=REFRESH, owner=ada.id, key_id="", code="sealed_value_corrupt")
    ]
    assert "not-a-sealed-value" not in repr(rotating.named)
    assert await openable(product, bob)


async def test_a_refresh_that_began_before_is_waited_for(
    product: Product, process: Process, rotating: Rotating
) -> None:
    """The holder of the lease may write back the pair it read: the rotation tries it again."""
    ada = await product.connect()
    product.vault.rotate()
    integration, lease = await leased(product, ada.id)

    held = await rotating()
    async with product.storage() as uow:
        await finish(uow, integration, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()
    freed = await rotating()
    product.vault.lose("key-1")

    assert (held, freed) == (Rotation(busy=2), Rotation(resealed=2))
    assert not held.is_complete
    await process.refresh.run(ada.id)


async def test_who_is_late_changes_nothing(product: Product, rotating: Rotating) -> None:
    """A lease that is over is ended: its late holder cannot bring the old pair back."""
    ada = await product.connect()
    product.vault.rotate()
    integration, lease = await leased(product, ada.id)
    product.clock.advance(LEASE + timedelta(seconds=1))

    rotation = await rotating()
    async with product.storage() as uow:
        late = await finish(uow, integration, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()
    product.vault.lose("key-1")

    assert (rotation, late) == (Rotation(resealed=2), False)
    assert await openable(product, ada)


async def test_a_refresh_wins_over_the_rotation(product: Product, process: Process) -> None:
    """A pair that is stored while its predecessor is resealed stays."""
    ada = await product.connect()
    product.vault.rotate()
    async with product.storage() as uow:
        page = await uow.sealed_values.page(REFRESH, 0, 9, but_under=None)
    fresh = await process.refresh.run(ada.id)
    async with product.storage() as uow:
        stored = await uow.sealed_values.replace(
            REFRESH, [(each, "too late") for each in page.values], product.clock.now()
        )
        await uow.commit()

    assert stored == 0
    assert (await product.stored(ada.id)).tokens == fresh.tokens
