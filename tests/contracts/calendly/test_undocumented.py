"""Behaviour that Calendly does not document: our gateways are right in each case."""

from typing import Any

import pytest

from domain.booking import BookingStatus
from domain.errors import (
    CalendlyError,
    CalendlyProtocolError,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    GrantRefused,
    SlotTaken,
)
from domain.secret import Secret
from tests.contracts.calendly.sandbox_stage import SandboxStage
from tests.contracts.calendly.stage import access_of, wanted


@pytest.mark.parametrize("status", [400, 404])
async def test_a_taken_slot_is_known_by_its_code(sandbox: SandboxStage, status: int) -> None:
    """A taken slot is one with either status."""
    await sandbox.control("PATCH", "/switches", taken_slot_status=status)
    access, starts = await access_of(sandbox), await sandbox.open_slots()
    await sandbox.invitee_books(starts[0])

    with pytest.raises(SlotTaken):
        await sandbox.bookings.book(access, wanted(sandbox, starts[0]))


@pytest.mark.parametrize("status", [400, 401])
async def test_a_refused_grant_is_known_by_its_code(sandbox: SandboxStage, status: int) -> None:
    """A spent refresh token is one with either status."""
    await sandbox.control("PATCH", "/switches", invalid_grant_status=status)

    with pytest.raises(GrantRefused):
        await sandbox.oauth.refresh(Secret("0" * 64), user_uri=sandbox.account.user_uri)


async def test_an_event_is_canceled_even_where_reasons_are_refused(sandbox: SandboxStage) -> None:
    """A Calendly that takes no reason still cancels."""
    await sandbox.control("PATCH", "/switches", cancel_reason_refused=True)
    access, starts = await access_of(sandbox), await sandbox.open_slots()
    uri = await sandbox.invitee_books(starts[0])

    await sandbox.bookings.cancel(access, uri.rpartition("/invitees/")[0], "Ill")

    facts = await sandbox.bookings.invitee(access, uri)
    assert facts.status is BookingStatus.CANCELED


@pytest.mark.parametrize("style", ["uuid", "short"])
async def test_both_kinds_of_ids_are_read(sandbox: SandboxStage, style: str) -> None:
    """Old ids of 16 letters and UUIDs are the same to us."""
    await sandbox.control("PATCH", "/switches", id_style=style)
    access, starts = await access_of(sandbox), await sandbox.open_slots()

    uri = await sandbox.bookings.book(access, wanted(sandbox, starts[0]))

    assert (await sandbox.bookings.invitee(access, uri)).invitee_uri == uri


@pytest.mark.parametrize("body", [True, False])
@pytest.mark.parametrize("retry_after", [True, False])
async def test_a_429_is_one_in_every_form(
    sandbox: SandboxStage, *, body: bool, retry_after: bool
) -> None:
    """With or without a body and a Retry-After, a 429 is throttling, and pauses the user."""
    await sandbox.control(
        "PATCH", "/switches", rate_limited_body=body, rate_limited_retry_after=retry_after
    )
    await sandbox.control("POST", "/faults", path="/users/me", kind="rate_limited", count=1)
    access = await access_of(sandbox)

    for _ in range(2):
        with pytest.raises(CalendlyThrottled) as caught:
            await sandbox.accounts.me(access)

        assert caught.value.retry_after == pytest.approx(60, abs=5)


async def test_a_paid_plans_limit_is_learnt(sandbox: SandboxStage) -> None:
    """More than the Free plan's fifty requests pass once the headers allow it."""
    access = await access_of(sandbox)

    for _ in range(55):
        account = await sandbox.accounts.me(access)

    assert account == sandbox.account


@pytest.mark.parametrize(
    ("fault", "of_read", "of_write"),
    [
        ({"kind": "malformed"}, CalendlyProtocolError, CalendlyUncertain),
        ({"kind": "drop_answer"}, CalendlyUnavailable, CalendlyUncertain),
        (
            {"kind": "status", "status": 500, "processed": True},
            CalendlyUnavailable,
            CalendlyUncertain,
        ),
        (
            {"kind": "status", "status": 502, "processed": True},
            CalendlyUnavailable,
            CalendlyUncertain,
        ),
        ({"kind": "hang", "seconds": 0.2}, CalendlyUnavailable, CalendlyUncertain),
    ],
)
async def test_a_mishap_is_uncertain_to_whatever_has_effects(
    sandbox: SandboxStage,
    fault: dict[str, Any],
    of_read: type[CalendlyError],
    of_write: type[CalendlyError],
) -> None:
    """If an answer is lost or corrupt, a read is repeated and a write is looked up."""
    pair, access, starts = (
        await sandbox.pair(),
        await access_of(sandbox),
        await sandbox.open_slots(),
    )
    # Twice for the read: aiohttp repeats a GET once on a kept connection that was just closed.
    await sandbox.control("POST", "/faults", path="/users/me", count=2, **fault)
    await sandbox.control("POST", "/faults", path="/oauth/token", count=1, **fault)
    await sandbox.control("POST", "/faults", path="/invitees", count=1, **fault)

    with pytest.raises(of_read) as read:
        await sandbox.accounts.me(access)
    with pytest.raises(of_write):
        await sandbox.oauth.refresh(pair.refresh, user_uri=sandbox.account.user_uri)
    with pytest.raises(of_write):
        await sandbox.bookings.book(access, wanted(sandbox, starts[0]))

    assert type(read.value) is of_read
    rules = (await sandbox.control("GET", "/faults"))["faults"]
    assert [each["hits"] for each in rules[1:]] == [1, 1]
