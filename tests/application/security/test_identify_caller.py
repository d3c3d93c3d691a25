from datetime import timedelta

import pytest

from application.security.identify_caller import (
    LONGEST_EXTERNAL_ID,
    Credentials,
    IdentifyCaller,
)
from application.security.key_usage import KeyUsage
from application.security.manage_api_keys import ManageApiKeys
from domain.api_key import KeyScope
from domain.errors import ApiKeyInvalid, InvalidInput, KeyNetworkRefused, KeyScopeMissing
from tests.application.support.building import Product

READ = frozenset({KeyScope.READ})


@pytest.fixture
def usage(product: Product) -> KeyUsage:
    """Notes of used keys; nothing writes them by itself."""
    return KeyUsage(storage=product.storage, background=product.background)


@pytest.fixture
def identify(product: Product, usage: KeyUsage) -> IdentifyCaller:
    """The use case."""
    return IdentifyCaller(
        storage=product.storage,
        randomness=product.randomness,
        clock=product.clock,
        usage=usage,
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


async def test_a_user_exists_from_the_first_connect_on(
    identify: IdentifyCaller, product: Product, api_key: str
) -> None:
    """Until then a call has an id that nothing in the store has, and writes nothing."""
    unknown, _ = await identify(Credentials(api_key), "ada", READ)
    assert product.storage.state.users == {}

    first, _ = await identify(Credentials(api_key), "ada", READ, creates=True)

    assert (await identify(Credentials(api_key), "ada", READ))[0] == first
    assert (await identify(Credentials(api_key), "bob", READ))[0] != first
    assert await identify.named("ada") == first
    assert unknown != first


async def test_a_known_user_costs_one_look(
    identify: IdentifyCaller, product: Product, api_key: str
) -> None:
    """Only the first connect of a user writes; from then on nothing is committed."""
    await identify(Credentials(api_key), "ada", READ, creates=True)
    commits = product.storage.commits

    await identify(Credentials(api_key), "ada", READ, creates=True)

    assert product.storage.commits == commits


@pytest.mark.parametrize("wrong", [None, "", "sk_wrong"])
async def test_a_wrong_key_is_refused(
    identify: IdentifyCaller, product: Product, wrong: str
) -> None:
    """Without a live key no caller acts for a user, and no user is created."""
    with pytest.raises(ApiKeyInvalid):
        await identify(Credentials(wrong), "ada", READ)
    with pytest.raises(ApiKeyInvalid):
        await identify.authenticate(Credentials(wrong), READ)

    assert product.storage.state.users == {}


async def test_a_revoked_key_is_refused(
    identify: IdentifyCaller, keys: ManageApiKeys, api_key: str
) -> None:
    """A key works until it is revoked, and never again."""
    await identify.authenticate(Credentials(api_key), READ)
    (record,) = await keys.all()

    assert await keys.revoke(record.id)

    with pytest.raises(ApiKeyInvalid):
        await identify.authenticate(Credentials(api_key), READ)


@pytest.mark.parametrize(
    "name", [None, "", "  ", "a\nb", " ada", "ada ", "ad\u00e9", "x" * (LONGEST_EXTERNAL_ID + 1)]
)
async def test_a_user_has_to_be_named(identify: IdentifyCaller, api_key: str, name: str) -> None:
    """An id that cannot be one is bad input."""
    with pytest.raises(InvalidInput):
        await identify(Credentials(api_key), name, READ)
    with pytest.raises(ApiKeyInvalid):
        await identify(Credentials("sk_wrong"), name, READ)


async def test_the_longest_name_is_accepted(identify: IdentifyCaller, api_key: str) -> None:
    """An id may have as many characters as are promised."""
    longest = "x" * LONGEST_EXTERNAL_ID

    user_id, _ = await identify(Credentials(api_key), longest, READ, creates=True)

    assert user_id == await identify.named(longest)


async def test_a_key_needs_one_of_the_scopes(
    identify: IdentifyCaller, keys: ManageApiKeys
) -> None:
    """A key without any of them is refused, before anything else is wrong with the call."""
    _, secret = await keys.create("reader", scopes=READ)
    credentials = Credentials(secret.reveal())

    await identify.authenticate(credentials, READ | {KeyScope.APP})
    with pytest.raises(KeyScopeMissing, match="the scope app or operator;"):
        await identify.authenticate(credentials, frozenset({KeyScope.OPERATOR, KeyScope.APP}))
    with pytest.raises(KeyScopeMissing):
        await identify(credentials, None, frozenset({KeyScope.APP}))


@pytest.mark.parametrize(
    ("address", "works"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("11.1.2.3", False),
        ("2001:db9::1", False),
        ("unix", False),
        (None, False),
    ],
)
async def test_a_key_is_bound_to_networks(
    identify: IdentifyCaller, keys: ManageApiKeys, address: str | None, *, works: bool
) -> None:
    """Outside its networks a key does not work; a client without an address is outside."""
    _, secret = await keys.create("bound", networks=("10.0.0.0/8", "2001:db8::/32"))
    credentials = Credentials(secret.reveal(), address)

    if works:
        await identify.authenticate(credentials, READ)
    else:
        with pytest.raises(KeyNetworkRefused):
            await identify.authenticate(credentials, READ)


async def test_an_expired_key_is_refused(identify: IdentifyCaller, keys: ManageApiKeys) -> None:
    """The store judges it by its own clock."""
    _, secret = await keys.create("short", lifetime=-timedelta(days=36500))

    with pytest.raises(ApiKeyInvalid):
        await identify.authenticate(Credentials(secret.reveal()), READ)


async def test_the_last_use_is_written_once(
    identify: IdentifyCaller, usage: KeyUsage, keys: ManageApiKeys, product: Product, api_key: str
) -> None:
    """Many uses are one commit, which no request waits for."""
    for _ in range(3):
        await identify.authenticate(Credentials(api_key), READ)
    commits = product.storage.commits

    await usage.close()

    assert product.storage.commits == commits + 1
    (record,) = await keys.all()
    assert record.last_used_at == product.clock.now()
    await identify.authenticate(Credentials(api_key), READ)
    await usage.write()
    assert product.storage.commits == commits + 1
