from datetime import UTC, datetime, timedelta

from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness

randomness = SystemRandomness()


def test_the_clock_is_in_utc() -> None:
    """The time is now, aware, in UTC."""
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_ids_are_uuids_of_version_7_in_order() -> None:
    """New ids sort by the time they were made in, and none repeats (RFC 9562)."""
    ids = [randomness.new_id() for _ in range(2000)]

    assert {each.version for each in ids} == {7}
    assert ids == sorted(set(ids))


def test_tokens_are_url_safe_and_never_repeat() -> None:
    """A token of 32 bytes is 43 characters of base64url."""
    tokens = {randomness.token() for _ in range(500)}

    assert len(tokens) == 500
    assert {len(token) for token in tokens} == {43}
    assert all(token.replace("-", "").replace("_", "").isalnum() for token in tokens)
    assert len(randomness.token(16)) == 22


def test_chance_lies_between_nothing_and_one() -> None:
    """Chances are spread over [0, 1)."""
    chances = [randomness.fraction() for _ in range(2000)]

    assert all(0 <= chance < 1 for chance in chances)
    assert 0.4 < sum(chances) / len(chances) < 0.6
