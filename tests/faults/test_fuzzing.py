from domain.secret import Secret
from tests.faults import fuzzing


async def test_fuzzing(database_url: Secret) -> None:
    """No delivery and no request gets an answer that is the service's own fault."""
    delivered, called = await fuzzing.run(fuzzing.SMALL, database_url)

    assert delivered.holds, delivered.seen
    assert called.holds, called.seen
    assert "around 0 refused" not in f"{delivered.seen} {called.seen}"
