from domain.secret import Secret
from tests.faults import endless_account


async def test_the_others_are_compared(database_url: Secret) -> None:
    """An account whose list never ends delays no other account, and says why it is not compared."""
    [row] = await endless_account.run(endless_account.SMALL, database_url)

    assert row.holds, row.seen


async def test_the_row_needs_an_endless_list(database_url: Secret) -> None:
    """Where every list ends, the row falls short: it looks at the endless account itself."""
    size = endless_account.Size(accounts=2, ends=True)

    [row] = await endless_account.run(size, database_url)

    assert not row.holds
