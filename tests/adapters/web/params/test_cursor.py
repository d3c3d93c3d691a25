import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.params.cursor import decode, decode_name, encode, encode_name
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


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_the_calendar_is_refused(start: str) -> None:
    """A position whose offset leads out of the years 1 to 9999 was never handed out."""
    raw = f'["{start}","00000000-0000-0000-0000-000000000000"]'.encode()

    with pytest.raises(InvalidCursor):
        decode(base64.urlsafe_b64encode(raw).rstrip(b"=").decode())


@given(st.text(max_size=255), st.text(max_size=100))
def test_a_place_among_names_comes_back_as_it_was(name: str, uri: str) -> None:
    """A position in a list by name survives, whatever the name is."""
    assert decode_name(encode_name((name, uri))) == (name, uri)


@given(MOMENTS, st.uuids(), st.text(max_size=20))
def test_a_cursor_of_one_list_is_none_of_the_other(
    start: datetime, booking_id: UUID, name: str
) -> None:
    """A position among bookings is none among names, nor the other way round."""
    with pytest.raises(InvalidCursor):
        decode_name(encode((start, BookingId(booking_id))))
    with pytest.raises(InvalidCursor):
        decode(encode_name((name, "https://api.calendly.com/event_types/1")))


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    """Any text is either a position or rejected with its own error."""
    for read in (decode, decode_name):
        with pytest.raises(InvalidCursor):
            read(text)
