from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.ids import UserId
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

BOOKINGS = "/api/calendly/bookings"


@pytest.fixture
async def ada(services: StandInServices) -> UserId:
    """Ada, with five bookings, the second one canceled."""
    user = await services.identify_caller.named("ada")
    for number in range(1, 6):
        status = BookingStatus.CANCELED if number == 2 else BookingStatus.BOOKED
        services.bookings.add(scenario.booking(number, user, status=status))
    return user


def numbers(page: dict[str, list[dict[str, str]]]) -> list[int]:
    """The bookings of a page, by number."""
    return [UUID(each["id"]).int for each in page["items"]]


@pytest.mark.usefixtures("ada")
async def test_pages_lead_through_all_bookings(client: Client) -> None:
    """Following next_cursor shows each booking once, by ascending start."""
    seen: list[int] = []
    cursor: str | None = None
    pages = 0
    while cursor is not None or pages == 0:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(BOOKINGS, headers=CALLER, params=params)).json()
        seen += numbers(page)
        cursor = page["next_cursor"]
        pages += 1

    assert seen == [1, 2, 3, 4, 5]
    assert pages == 3


@pytest.mark.usefixtures("ada")
async def test_bookings_are_filtered(client: Client) -> None:
    """Bookings are listed by status, one or several, and by start."""
    span = {"start": "2026-12-01T10:30:00Z", "end": "2026-12-01T13:00:00Z"}

    canceled = await client.get(BOOKINGS, headers=CALLER, params={"status": "canceled"})
    both = await client.get(BOOKINGS, headers=CALLER, params={"status": ["canceled", "booked"]})
    within = await client.get(BOOKINGS, headers=CALLER, params=span)

    assert numbers(canceled.json()) == [2]
    assert numbers(both.json()) == [1, 2, 3, 4, 5]
    assert numbers(within.json()) == [2, 3]


@pytest.mark.usefixtures("ada")
async def test_lists_do_not_hand_out_links(client: Client) -> None:
    """The links that act without a login are in the answer for one booking, not in lists."""
    listed = await client.get(BOOKINGS, headers=CALLER)
    one = await client.get(f"{BOOKINGS}/{UUID(int=1)}", headers=CALLER)

    assert "s3cret" not in listed.text
    assert one.json()["cancel_url"] == scenario.CANCEL_LINK
    assert one.json()["reschedule_url"] == scenario.RESCHEDULE_LINK


@pytest.mark.usefixtures("ada")
async def test_another_users_booking_is_not_found(client: Client) -> None:
    """Another user's booking is 404, and so is acting on it."""
    eve = {**CALLER, "X-User-Id": "eve", "Idempotency-Key": "k1"}
    path = f"{BOOKINGS}/{UUID(int=1)}"

    for answer in (
        await client.get(path, headers=eve),
        await client.post(f"{path}/cancel", headers=eve),
        await client.post(f"{path}/no-show", headers=eve),
        await client.delete(f"{path}/no-show", headers=eve),
    ):
        problem_in(answer, 404, "booking_not_found")
    assert (await client.get(BOOKINGS, headers=eve)).json() == {"items": [], "next_cursor": None}


async def test_an_id_that_is_none_is_not_found(client: Client) -> None:
    """A booking id that is not a UUID is 404."""
    answer = await client.get(f"{BOOKINGS}/first", headers=CALLER)

    problem_in(answer, 404, "not_found")


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "WzEsMl0", "e30", "bnVsbA", "a" * 4000, "ü"])
async def test_a_made_up_cursor_is_refused(client: Client, cursor: str) -> None:
    """A cursor that this service never handed out is 400 with a code of its own."""
    answer = await client.get(BOOKINGS, headers=CALLER, params={"cursor": cursor})

    problem_in(answer, 400, "invalid_cursor")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1.5"])
async def test_a_page_size_out_of_bounds_is_refused(client: Client, limit: str) -> None:
    """A page holds 1 to 100 bookings."""
    answer = await client.get(BOOKINGS, headers=CALLER, params={"limit": limit})

    problem = problem_in(answer, 400, "invalid_input")
    assert [each["field"] for each in problem["errors"]] == ["limit"]


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_outside_the_calendar_is_refused(client: Client, end: str) -> None:
    """A time whose offset leads out of the years 1 to 9999 is 400."""
    answer = await client.get(BOOKINGS, headers=CALLER, params={"end": end})

    problem = problem_in(answer, 400, "invalid_input")
    assert [each["field"] for each in problem["errors"]] == ["end"]


async def test_a_reversed_range_is_refused(client: Client) -> None:
    """A range that ends before it begins is 400."""
    params = {"start": "2026-12-02T00:00:00Z", "end": "2026-12-01T00:00:00Z"}

    answer = await client.get(BOOKINGS, headers=CALLER, params=params)

    problem_in(answer, 400, "invalid_range")
