from domain.secret import Secret
from tests.faults.moved import dropped_answers
from tests.faults.moved.dropped_answers import Size


async def test_each_lost_answer_is_labelled_and_no_other_account(database_url: Secret) -> None:
    """Accounts whose answer was lost report it after a few requests; the others are refreshed."""
    (row,) = await dropped_answers.run(Size(integrations=200), database_url)

    assert row.holds, row.seen
