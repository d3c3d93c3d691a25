"""One event type, what is refused of it, and links to it."""

import pytest

from domain.errors import CalendarBroken, CalendlyForbidden, CalendlyNotFound, ScopeMissing
from domain.token import REQUIRED_SCOPES
from tests.contracts.calendly.stage import Stage, access_of, ahead, values_of

LINKS = (*REQUIRED_SCOPES, "scheduling_links:write")


async def test_an_event_type_is_read_by_its_name(stage: Stage) -> None:
    """An event type read alone equals its entry in the list."""
    access = await access_of(stage)
    listed = values_of(await stage.availability.event_types(access, stage.account.user_uri))

    found = await stage.availability.event_type(access, stage.event_type_uri)

    assert found in listed
    assert found.uri == stage.event_type_uri


async def test_a_deleted_event_type_stays_readable(stage: Stage) -> None:
    """It leaves the list, says since when, and has no open slots to ask for any more."""
    access = await access_of(stage)
    await stage.delete_event_type()

    found = await stage.availability.event_type(access, stage.event_type_uri)
    listed = values_of(await stage.availability.event_types(access, stage.account.user_uri))

    assert found.deleted_at is not None
    assert not found.active
    assert stage.event_type_uri not in {each.uri for each in listed}
    with pytest.raises(CalendlyNotFound):
        await stage.availability.available_times(access, stage.event_type_uri, ahead(days=7))


async def test_an_unknown_event_type_is_not_found(stage: Stage) -> None:
    """An event type that never existed, or a malformed address of one, is not found."""
    access = await access_of(stage)
    unknown = stage.event_type_uri.rpartition("/")[0] + "/AAAAAAAAAAAAAAAA"

    for uri in (unknown, "https://example.com/else"):
        with pytest.raises(CalendlyNotFound):
            await stage.availability.event_type(access, uri)


async def test_another_organizations_event_type_is_refused(stage: Stage) -> None:
    """Neither it nor its slots are shown, and no link to it is made."""
    access, (_, theirs) = await access_of(stage, LINKS), await stage.stranger()

    with pytest.raises(CalendlyForbidden):
        await stage.availability.event_type(access, theirs)
    with pytest.raises(CalendlyForbidden):
        await stage.availability.available_times(access, theirs, ahead(days=7))
    with pytest.raises(CalendlyForbidden):
        await stage.links.create_link(access, theirs)


async def test_slots_for_want_of_a_scope_name_it(stage: Stage) -> None:
    """A grant that may not see availability says which scope it wants."""
    access = await access_of(stage, ["users:read", "event_types:read"])

    with pytest.raises(ScopeMissing) as caught:
        await stage.availability.available_times(access, stage.event_type_uri, ahead(days=7))

    assert caught.value.required == ("availability:read",)


async def test_slots_behind_a_broken_calendar_have_an_error_of_their_own(stage: Stage) -> None:
    """Should Calendly refuse slots with a 424, it is the calendar and no outage."""
    access = await access_of(stage)
    await stage.break_calendar()
    span = ahead(days=7)
    spared = values_of(
        await stage.availability.available_times(access, stage.event_type_uri, span)
    )
    await stage.let_slots_need_the_calendar()

    with pytest.raises(CalendarBroken):
        await stage.availability.available_times(access, stage.event_type_uri, span)

    assert spared


async def test_each_link_is_another_one(stage: Stage) -> None:
    """A link is good for one booking, so each asking gives a new one."""
    access = await access_of(stage, LINKS)

    urls = {await stage.links.create_link(access, stage.event_type_uri) for _ in range(5)}

    assert len(urls) == 5
    assert all(each.startswith("https://calendly.com/d/") for each in urls)


async def test_a_link_for_want_of_its_scope_names_it(stage: Stage) -> None:
    """A grant from before this service asked for links says which scope it wants."""
    access = await access_of(stage)

    with pytest.raises(ScopeMissing) as caught:
        await stage.links.create_link(access, stage.event_type_uri)

    assert caught.value.required == ("scheduling_links:write",)


async def test_a_link_to_nothing_is_not_found(stage: Stage) -> None:
    """An event type that does not exist has no link."""
    unknown = stage.event_type_uri.rpartition("/")[0] + "/AAAAAAAAAAAAAAAA"

    with pytest.raises(CalendlyNotFound):
        await stage.links.create_link(await access_of(stage, LINKS), unknown)
