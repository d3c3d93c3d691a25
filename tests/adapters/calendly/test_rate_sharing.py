from collections.abc import Callable

import pytest

from tests.adapters.calendly.rate_model import Crowd, FixedMinute, Limit, RollingMinute

MINUTES = 20


@pytest.mark.parametrize(("callers", "idle"), [(1, 0.0), (6, 0.0), (6, 2.0), (16, 20.0)])
@pytest.mark.parametrize("most", [50, 500])
@pytest.mark.parametrize(
    "limit",
    [FixedMinute, lambda most: FixedMinute(most, tells=True), RollingMinute],
    ids=["fixed", "fixed-and-told", "rolling"],
)
def test_four_processes_share_a_users_limit_without_refusals(
    limit: Callable[[int], Limit], most: int, callers: int, idle: float
) -> None:
    """Fewer than one request in a hundred earns a 429, for every way Calendly may count its minute."""
    crowd = Crowd(limit(most), 4, callers, idle, seed=most + callers)

    crowd.run(MINUTES * 60)

    assert crowd.sent >= most * MINUTES / 5
    assert crowd.limited < crowd.sent / 100


def test_what_is_kept_in_reserve_is_little() -> None:
    """One busy process alone gets most of what the plan allows."""
    crowd = Crowd(FixedMinute(500, tells=True), 1, 16, 0.0, seed=1)

    crowd.run(MINUTES * 60)

    assert crowd.limited == 0
    assert crowd.sent >= 0.9 * 500 * MINUTES
