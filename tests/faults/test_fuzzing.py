from domain.secret import Secret
from tests.faults import fuzzing


async def test_fuzzing(database_url: Secret) -> None:
    """Whatever is delivered and whatever is asked, no answer is the service's own fault."""
    delivered, called = await fuzzing.run(fuzzing.SMALL, database_url)

    assert delivered.holds, delivered.seen
    assert called.holds, called.seen
