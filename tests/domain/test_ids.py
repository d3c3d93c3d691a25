from datetime import UTC, datetime, timedelta
from uuid import UUID

from adapters.system.randomness import SystemRandomness
from domain.ids import made_at


def test_the_standard_s_example() -> None:
    """The example of RFC 9562, appendix A.6, was made when it says."""
    example = UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")

    assert made_at(example) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_our_own() -> None:
    """An identity tells when it was made, to the millisecond."""
    before = datetime.now(UTC)
    made = made_at(SystemRandomness().new_id())

    assert before - timedelta(milliseconds=1) <= made <= datetime.now(UTC)
