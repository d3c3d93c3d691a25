import pytest

from application.security.identify_caller import LONGEST_EXTERNAL_ID, IdentifyCaller
from application.security.manage_api_keys import ManageApiKeys
from domain.errors import ApiKeyInvalid, InvalidInput
from tests.application.support.building import Product


@pytest.fixture
def identify(product: Product) -> IdentifyCaller:
    """The use case."""
    return IdentifyCaller(
        storage=product.storage, randomness=product.randomness, clock=product.clock
    )


@pytest.fixture
def keys(product: Product) -> ManageApiKeys:
    """The keys."""
    return ManageApiKeys(
        storage=product.storage, randomness=product.randomness, clock=product.clock
    )


@pytest.fixture
async def api_key(keys: ManageApiKeys) -> str:
    """A live key."""
    _, secret = await keys.create("back end")
    return secret.reveal()


async def test_a_good_key_acts_for_the_user_it_names(
    identify: IdentifyCaller, api_key: str
) -> None:
    """A user comes to exist when first named, and stays the same one."""
    first = await identify(api_key, "ada")

    assert await identify(api_key, "ada") == first
    assert await identify(api_key, "bob") != first
    assert await identify.named("ada") == first


async def test_a_known_user_costs_one_look(
    identify: IdentifyCaller, product: Product, api_key: str
) -> None:
    """Only the first call for a user writes; from the second on nothing is committed."""
    await identify(api_key, "ada")
    commits = product.storage.commits

    await identify(api_key, "ada")

    assert product.storage.commits == commits


@pytest.mark.parametrize("wrong", [None, "", "sk_wrong"])
async def test_a_wrong_key_is_refused(
    identify: IdentifyCaller, product: Product, wrong: str
) -> None:
    """Without a live key no caller acts for a user, and no user is created."""
    with pytest.raises(ApiKeyInvalid):
        await identify(wrong, "ada")
    with pytest.raises(ApiKeyInvalid):
        await identify.authenticate(wrong)

    assert product.storage.state.users == {}


async def test_a_revoked_key_is_refused(
    identify: IdentifyCaller, keys: ManageApiKeys, api_key: str
) -> None:
    """A key works until it is revoked, and never again."""
    await identify.authenticate(api_key)
    (record,) = await keys.all()

    assert await keys.revoke(record.id)

    with pytest.raises(ApiKeyInvalid):
        await identify.authenticate(api_key)


@pytest.mark.parametrize("name", [None, "", "  ", "a\nb", "x" * (LONGEST_EXTERNAL_ID + 1)])
async def test_a_user_has_to_be_named(identify: IdentifyCaller, api_key: str, name: str) -> None:
    """An id that cannot be one is bad input."""
    with pytest.raises(InvalidInput):
        await identify(api_key, name)
    with pytest.raises(ApiKeyInvalid):
        await identify("sk_wrong", name)


async def test_the_longest_name_is_accepted(identify: IdentifyCaller, api_key: str) -> None:
    """An id may have as many characters as are promised."""
    longest = "x" * LONGEST_EXTERNAL_ID

    assert await identify(api_key, longest) == await identify.named(longest)
