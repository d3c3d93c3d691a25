from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.circuit_breaker import (
    CLOSED,
    JITTER,
    PROBE_TIMEOUT,
    Breaker,
    BreakerPolicy,
    BreakerState,
    admit,
    failed,
    open_for,
    release_probe,
    seen_at,
    succeeded,
    wait,
)
from tests.domain.samples import NOW, seconds

POLICY = BreakerPolicy(threshold=3, reset=seconds(60), longest=seconds(200), window=seconds(30))


def opened() -> Breaker:
    """Return a breaker that three failures opened."""
    breaker = CLOSED
    for _ in range(POLICY.threshold):
        breaker = failed(breaker, NOW, POLICY)
    return breaker


chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 10**9), chances)
def test_the_time_open_is_bounded(trips: int, chance: float) -> None:
    """After any number of trips it stays open no longer than the ceiling and its jitter."""
    span = open_for(Breaker(trips=trips), POLICY, chance)

    assert POLICY.reset <= span <= POLICY.longest * (1 + JITTER)


moves = st.lists(
    st.tuples(
        st.sampled_from(["admit", "succeed", "fail", "fail", "fail", "give back"]),
        st.sampled_from([0, 0, 1, 10, 29, 30, 59, 60, 61, 72, 240, 500]).map(seconds),
        chances,
    ),
    max_size=60,
)


class Watched:
    """A breaker under any history, with what a bystander notes of it."""

    def __init__(self) -> None:
        self.breaker = CLOSED
        self.in_a_row: list[datetime] = []
        self.probe: Breaker | None = None
        self.turn_until = NOW

    def admit(self, now: datetime) -> None:
        """Let a call in, if it may."""
        admitted = admit(self.breaker, now, POLICY)
        left = wait(self.breaker, now, POLICY)
        assert (admitted is None) is (left is not None)
        assert left is None or left > timedelta()
        if admitted is None:
            assert self.breaker.state is not BreakerState.CLOSED
        elif admitted.state is BreakerState.HALF_OPEN:
            assert admitted.open_until is not None
            assert now >= admitted.open_until
            assert self.probe is None or now >= self.turn_until
            self.probe, self.turn_until = admitted, now + PROBE_TIMEOUT
            self.breaker = admitted
        else:
            assert admitted == self.breaker

    def succeed(self) -> None:
        """Report an answer."""
        before, self.breaker = self.breaker, succeeded(self.breaker)
        if before.state is BreakerState.OPEN:
            assert self.breaker == before
            return
        assert self.breaker == CLOSED
        self.in_a_row, self.probe = [], None

    def fail(self, now: datetime, chance: float) -> None:
        """Report a failure."""
        before, self.breaker = self.breaker, failed(self.breaker, now, POLICY, chance)
        self.in_a_row.append(now)
        assert self.breaker.failures == before.failures + 1
        assert len(self.breaker.failed_at) <= POLICY.threshold
        if before.state is BreakerState.OPEN:
            assert self.breaker.open_until == before.open_until
            return
        recent = [at for at in self.in_a_row if now - at < POLICY.window]
        opens = before.state is BreakerState.HALF_OPEN or len(recent) >= POLICY.threshold
        assert (self.breaker.state is BreakerState.OPEN) is opens
        if opens:
            assert self.breaker.opened_at == now
            assert self.breaker.open_until is not None
            span = self.breaker.open_until - now
            assert POLICY.reset <= span <= POLICY.longest * (1 + JITTER)
            self.probe = None

    def revoke_unused(self) -> None:
        """Report that the probe proved nothing."""
        if self.probe is None:
            return
        self.breaker, self.probe = release_probe(self.breaker, self.probe), None
        assert self.breaker.probe_until is None


@given(moves)
def test_any_history_keeps_the_promises(history: list[tuple[str, timedelta, float]]) -> None:
    """Over any history: it opens by failures in the window alone, and one probe is out."""
    watched, now = Watched(), NOW
    for move, passed, chance in history:
        now += passed
        if move == "admit":
            watched.admit(now)
        elif move == "succeed":
            watched.succeed()
        elif move == "fail":
            watched.fail(now, chance)
        else:
            watched.revoke_unused()
        assert (watched.breaker.state is BreakerState.CLOSED) is (watched.breaker.trips == 0)
        left = wait(watched.breaker, now, POLICY)
        assert left is None or left > timedelta()
        assert left is None or seen_at(watched.breaker, now, POLICY) is not BreakerState.CLOSED


@given(st.integers(1, 20), st.integers(2, 8))
def test_one_of_many_wins_the_probe(racers: int, rounds: int) -> None:
    """Of many concurrent callers one gets each probe, and the next one only after it."""
    breaker, now, won = opened(), NOW + POLICY.reset, 0
    for _ in range(rounds):
        for _ in range(racers):
            admitted = admit(breaker, now, POLICY)
            won += admitted is not None
            breaker = admitted or breaker
        now += PROBE_TIMEOUT

    assert won == rounds
