from domain.secret import Secret
from tests.faults import lag


async def test_lists_that_lag(database_url: Secret) -> None:
    """A slot list behind its webhook is right within two minutes, with one call more."""
    for row in await lag.run(lag.SMALL, database_url):
        assert row.holds, row.seen
