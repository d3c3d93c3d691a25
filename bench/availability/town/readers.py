"""Readers of open slots: whose they read follows Zipf's law, and every answer is checked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import accumulate
from random import Random
from time import perf_counter

from application.availability.read_slots import AvailabilityView
from bench.availability.calendly.hosts import EVENT_TYPES, EventType, Host
from bench.availability.town.town import Town
from bench.availability.town.truth import Taken
from domain.cache_policy import Freshness
from domain.errors import SlotkeeperError
from domain.ids import UserId

SPAN = timedelta(days=7)
# Half of the readers look at the coming week, the others at a later one of the same month.
_LATER = (timedelta(0), timedelta(0), timedelta(0), *(timedelta(days=7 * n) for n in (1, 2, 3)))


def zipf(ranks: Iterable[int]) -> list[float]:
    """Return the cumulative weights of ranks, the n-th being read 1/n as often as the first."""
    return list(accumulate(1 / rank for rank in ranks))


class Readers:
    """They read through the web's use case.

    Args:
        town: where.
        taken: what no fresh answer may offer.
        ranks: of the town's hosts among all hosts that there are, by the host's number.

    Attributes:
        answers: how many, by freshness or the error's code.
        by_host: how many of each host.
        wrong: answers that offered what a delivered webhook had taken, by freshness.
        ages: the oldest answer that was given (seconds), by freshness.
        seconds: how long every hundredth took.

    """

    def __init__(self, town: Town, taken: Taken, ranks: Sequence[int]) -> None:
        self._town = town
        self._taken = taken
        self._random = Random("readers")  # noqa: S311 - the same day in every run
        self._hosts = zipf(ranks)
        self._event_types = zipf(range(1, len(EVENT_TYPES) + 1))
        self.answers: Counter[str] = Counter()
        self.by_host: Counter[int] = Counter()
        self.wrong: Counter[str] = Counter()
        self.ages: dict[str, float] = {}
        self.seconds: list[float] = []

    async def read(self) -> None:
        """Read somebody's slots."""
        (number,) = self._random.choices(range(len(self._hosts)), cum_weights=self._hosts)
        await self.read_of(Host(number))

    async def read_of(self, host: Host) -> None:
        """Read a host's slots."""
        (event_type,) = self._random.choices(EVENT_TYPES, cum_weights=self._event_types)
        self.by_host[host.number] += 1
        blocked = self._taken.blocked(host, event_type.length)
        began = perf_counter()
        try:
            view = await self._ask(host, event_type)
        except SlotkeeperError as error:
            self.answers[error.code] += 1
            return
        if self.by_host.total() % 100 == 0:
            self.seconds.append(perf_counter() - began)
        self._check(view, blocked)

    async def _ask(self, host: Host, event_type: EventType) -> AvailabilityView:
        start = self._town.clock.now() + self._random.choice(_LATER)
        user_id = UserId(self._town.ids[host.number])
        uri = host.event_type_uri(event_type.number)
        return await self._town.web.read_availability(user_id, uri, start, start + SPAN)

    def _check(self, view: AvailabilityView, blocked: frozenset[int]) -> None:
        freshness = view.age.freshness
        self.answers[freshness] += 1
        age = (self._town.clock.now() - view.age.fetched_at).total_seconds()
        self.ages[freshness] = max(age, self.ages.get(freshness, 0.0))
        if blocked and not blocked.isdisjoint(int(slot.start.timestamp()) for slot in view.slots):
            self.wrong[freshness] += 1

    @property
    def answered(self) -> int:
        """How many got slots, whatever their freshness."""
        return sum(self.answers[each] for each in Freshness)
