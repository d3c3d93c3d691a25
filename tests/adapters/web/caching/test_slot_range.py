from datetime import UTC, datetime

import pytest

from adapters.web.caching.slot_range import PlainRange, plain_range

START, END = "start=2026-12-01T09:00:00Z", "end=2026-12-02T09:00:00Z"
NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "start",
    [
        "2026-12-01T09:00:00Z",
        "2026-12-01T09%3A00%3A00.000Z",
        "2026-12-01T09%3a00%3a00%2b00%3a00",
        "2026-12-01T10:30:00%2B01:30",
        "2026-12-01T04:00:00-05:00",
    ],
)
def test_a_time_in_its_usual_forms_is_plain(start: str) -> None:
    """With or without escapes and an offset, a time is the moment that it states, in UTC."""
    query = f"{END}&event_type=https%3A%2F%2Fx%2F1&start={start}"

    found = plain_range(query.encode())

    assert found == PlainRange(b"https%3A%2F%2Fx%2F1", NINE, NINE.replace(day=2))
    assert found.start.tzinfo is UTC


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"event_type=a&{START}",
        f"event_type=a&{START}&{END}&timezone=UTC",
        f"event_type=a&{START}&{END}&",
        f"&event_type=a&{START}&{END}",
        f"event_type=a&event_type=b&{START}&{END}",
        f"event_type=a&{START}&{END}&{END}",
        f"event_type=a&{START}&{START}",
        f"event_type=&{START}&{END}",
        f"event_type&{START}&{END}",
        f"event_type=a=b&{START}&{END}",
        f"event_type=a+b&{START}&{END}",
        f"event_type=a;b&{START}&{END}",
        f"event%5Ftype=a&{START}&{END}",
        f"event_type=a&{END}&start=2026-12-01T09:00:00+00:00",
        f"event_type=a&{END}&start=2026-12-01T09:00:00",
        f"event_type=a&{END}&start=2026-12-01T09%253A00:00Z",
        f"event_type=a&{END}&start=2026-12-0%31T09:00:00Z",
        f"event_type=a&{END}&start=tomorrow",
        f"event_type=a&{END}&start=",
        f"event_type=a&{END}&start=2026-12-01T09:00:00Zé",
    ],
)
def test_whatever_is_odd_is_the_routes_business(query: str) -> None:
    """A query with a missing, additional, repeated or differently spelled part is not plain."""
    assert plain_range(query.encode()) is None
