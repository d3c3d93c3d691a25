import pytest

from adapters.web.http.token_buckets import TokenBuckets


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that only a test moves."""
    return Clock()


def test_a_bucket_gives_its_burst_and_then_its_rate(clock: Clock) -> None:
    """A full bucket has its burst; after that one token comes in each interval."""
    buckets = TokenBuckets(10, 5, clock=clock)

    assert [buckets.take("a") for _ in range(5)] == [0] * 5
    assert buckets.take("a") == pytest.approx(0.1)
    clock.now += 0.1
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0


def test_a_refusal_takes_nothing(clock: Clock) -> None:
    """A caller that goes on asking is not punished: the wait does not grow."""
    buckets = TokenBuckets(1, 1, clock=clock)
    buckets.take("a")

    assert [buckets.take("a") for _ in range(100)] == [pytest.approx(1)] * 100
    assert buckets.wait("a") == pytest.approx(1)
    clock.now += 1
    assert buckets.wait("a") == 0
    assert buckets.take("a") == 0


def test_over_any_time_no_more_than_rate_and_burst(clock: Clock) -> None:
    """With any pattern a caller gets at most the burst and the rate times the seconds."""
    buckets, given = TokenBuckets(50, 100, clock=clock), 0
    for step in range(10_000):
        clock.now += 0.001
        given += sum(buckets.take("a") == 0 for _ in range(1 + step % 3))

    assert 100 + 50 * 10 - 1 <= given <= 100 + 50 * 10 + 1


def test_keys_do_not_share_a_bucket(clock: Clock) -> None:
    """One caller's calls cost no other caller a token."""
    buckets = TokenBuckets(1, 1, clock=clock)
    buckets.take("a")

    assert buckets.take("b") == 0


def test_no_rate_is_no_limit(clock: Clock) -> None:
    """A rate of 0 never refuses and remembers nothing."""
    buckets = TokenBuckets(0, 0, clock=clock)

    assert {buckets.take("a") for _ in range(1_000)} == {0}
    assert buckets.wait("a") == 0
    assert len(buckets) == 0


def test_a_million_callers_need_bounded_memory(clock: Clock) -> None:
    """Full buckets are dropped first, and otherwise the oldest ones."""
    buckets = TokenBuckets(1, 1, most=1_000, clock=clock)
    buckets.take("first")
    clock.now += 5
    for number in range(100_000):
        buckets.take(number)
        assert len(buckets) <= 1_000

    assert buckets.wait(99_999) > 0
    assert buckets.wait(0) == 0
