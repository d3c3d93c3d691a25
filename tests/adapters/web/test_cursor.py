from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.cursor import decode, encode
from domain.errors import InvalidCursor
from domain.ids import BookingId

MOMENTS = st.datetimes(
    min_value=datetime.fromisoformat("1970-01-01"),
    max_value=datetime.fromisoformat("2100-01-01"),
    timezones=st.just(UTC),
)


@given(MOMENTS, st.uuids())
def test_a_cursor_comes_back_as_it_was(start: datetime, booking_id: UUID) -> None:
    """A position survives being handed out and coming back, to the microsecond."""
    position = (start, BookingId(booking_id))

    assert decode(encode(position)) == position


@given(MOMENTS, st.uuids())
def test_a_cursor_fits_into_a_query(start: datetime, booking_id: UUID) -> None:
    """A cursor needs no escaping."""
    assert encode((start, BookingId(booking_id))).replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    """Whatever text arrives is a position, or is refused with its own error."""
    with pytest.raises(InvalidCursor):
        decode(text)
