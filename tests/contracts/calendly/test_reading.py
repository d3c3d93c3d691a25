from datetime import UTC, datetime, timedelta

import pytest

from domain.availability import Window
from domain.errors import (
    AccessTokenRejected,
    CalendarBroken,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyRejected,
    ScopeMissing,
)
from domain.secret import Secret
from domain.token import Access
from tests.contracts.calendly.stage import Stage, access_of, ahead, values_of


async def test_an_unknown_token_is_rejected(stage: Stage) -> None:
    """A made-up access token opens nothing."""
    with pytest.raises(AccessTokenRejected):
        await stage.accounts.me(Access(Secret("made-up"), stage.account.user_uri))


async def test_an_expired_token_is_rejected(stage: Stage) -> None:
    """An expired access token opens nothing, though the grant lives."""
    access = await access_of(stage)
    await stage.expire_access_tokens()

    with pytest.raises(AccessTokenRejected):
        await stage.accounts.me(access)


async def test_a_missing_scope_is_named(stage: Stage) -> None:
    """A call whose scope was declined says which one it wants."""
    access = await access_of(stage, ["users:read"])

    with pytest.raises(ScopeMissing) as caught:
        await stage.availability.event_types(access, stage.account.user_uri)

    assert caught.value.required == ("event_types:read",)


async def test_event_types_are_listed(stage: Stage) -> None:
    """The user's event types are there, with duration and state."""
    found = values_of(
        await stage.availability.event_types(await access_of(stage), stage.account.user_uri)
    )

    mine = next(each for each in found if each.uri == stage.event_type_uri)
    assert (mine.active, mine.duration, mine.kind) == (True, 15, "solo")
    assert mine.updated_at is not None
    assert len({each.uri for each in found}) == len(found)


async def test_open_slots_lie_within_the_span(stage: Stage) -> None:
    """Slots are those of the span, in UTC, and a slot disappears when it is booked."""
    access, starts = await access_of(stage), await stage.open_slots()
    span = Window(starts[1], starts[3])

    offered, uri = stage.availability, stage.event_type_uri
    before = values_of(await offered.available_times(access, uri, span))
    await stage.invitee_books(starts[1])
    after = values_of(await offered.available_times(access, uri, span))

    assert [each.start for each in before] == starts[1:3]
    assert [each.start for each in after] == starts[2:3]
    assert {each.seats for each in before} == {1}
    assert {each.start.utcoffset() for each in before} == {timedelta(0)}


@pytest.mark.parametrize(
    "span",
    [
        ahead(days=31, hours=1),
        Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)),
    ],
)
async def test_slots_of_a_span_too_long_or_past_are_refused(stage: Stage, span: Window) -> None:
    """Calendly answers at most 31 days, none of them past."""
    access = await access_of(stage)

    with pytest.raises(CalendlyRejected):
        await stage.availability.available_times(access, stage.event_type_uri, span)


async def test_slots_of_31_days_are_answered(stage: Stage) -> None:
    """The longest span is taken."""
    found = values_of(
        await stage.availability.available_times(
            await access_of(stage), stage.event_type_uri, ahead(days=31)
        )
    )

    assert [each.start for each in found] == sorted(each.start for each in found)
    assert len(found) >= 6


async def test_slots_of_an_unknown_event_type_are_not_found(stage: Stage) -> None:
    """An event type that does not exist is not found."""
    unknown = stage.event_type_uri.rpartition("/")[0] + "/AAAAAAAAAAAAAAAA"

    with pytest.raises(CalendlyNotFound):
        await stage.availability.available_times(await access_of(stage), unknown, ahead(days=7))


async def test_busy_times_of_a_week_at_most(stage: Stage) -> None:
    """A week of busy times is answered in order, more is refused."""
    access, week = await access_of(stage), ahead(days=7)
    first = (week.start + timedelta(days=2)).replace(second=0, microsecond=0)
    spans = [
        Window(first + timedelta(days=each), first + timedelta(days=each, hours=1))
        for each in (1, 0)
    ]
    for span in spans:
        await stage.keep_busy(span)

    found = values_of(await stage.availability.busy_times(access, stage.account.user_uri, week))
    with pytest.raises(CalendlyRejected):
        await stage.availability.busy_times(access, stage.account.user_uri, ahead(days=7, hours=1))

    open_times = [Window(each.start, each.end) for each in found]
    assert [each for each in open_times if each in spans] == spans[::-1]
    assert {each.kind for each in found} == {"external"}
    assert [each.start for each in open_times] == sorted(each.start for each in open_times)


async def test_a_broken_calendar_is_distinguished(stage: Stage) -> None:
    """Busy times cannot be known while the calendar is broken; Calendly itself is not down."""
    access = await access_of(stage)
    await stage.break_calendar()

    with pytest.raises(CalendarBroken):
        await stage.availability.busy_times(access, stage.account.user_uri, ahead(days=7))


async def test_schedules_say_their_hours(stage: Stage) -> None:
    """A user has a default schedule with weekday rules."""
    access = await access_of(stage)
    found = values_of(await stage.availability.schedules(access, stage.account.user_uri))

    default = next(each for each in found if each.default)
    assert default.timezone
    assert any(rule.kind == "wday" and rule.intervals for rule in default.rules)
    assert await stage.availability.schedule(access, default.uri) == default


async def test_an_unknown_schedule_is_not_found(stage: Stage) -> None:
    """A schedule that does not exist is not found."""
    unknown = "https://api.calendly.com/user_availability_schedules/AAAAAAAAAAAAAAAA"

    with pytest.raises(CalendlyNotFound):
        await stage.availability.schedule(await access_of(stage), unknown)


async def test_a_user_is_read_by_name(stage: Stage) -> None:
    """A user can be read as others of the organization see them; a stranger cannot."""
    access, (stranger, _) = await access_of(stage), await stage.stranger()
    unknown = f"{stranger.rpartition('/')[0]}/AAAAAAAAAAAAAAAA"

    assert await stage.accounts.user(access, stage.account.user_uri) == stage.account
    with pytest.raises(CalendlyForbidden):
        await stage.accounts.user(access, stranger)
    with pytest.raises(CalendlyNotFound):
        await stage.accounts.user(access, unknown)
