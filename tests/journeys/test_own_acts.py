"""Our own acts at Calendly, and their webhooks, which arrive after them or before."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import msgspec
import pytest

from application.ports.storage.bookings import BookingQuery
from domain.booking import BookingStatus, Facts
from domain.ids import BookingId
from domain.integration import Integration
from domain.secret import Secret
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.stage import Stage, staged

BOOKED, CANCELED, _ = BookingStatus
HOST = "user-00001@sandbox.example"
Act = Callable[["Connected"], Awaitable[object]]


class Connected:
    """One account on real parts: its bookings, and what Calendly would deliver of them."""

    def __init__(self, stage: Stage, integration: Integration) -> None:
        self.stage = stage
        self.integration = integration

    async def facts(self) -> list[Facts]:
        """Return the bookings' facts as readers get them, by invitee."""
        page = await self.stage.worker.list_bookings(
            self.integration.user_id, BookingQuery(limit=100)
        )
        return sorted((each.booking.facts for each in page.items), key=lambda e: e.invitee_uri)

    async def seen(self) -> list[tuple[BookingStatus, bool]]:
        """Return each booking's status, and whether it is a no-show."""
        return [
            (each.status, bool(each.no_show and each.no_show.uri)) for each in await self.facts()
        ]

    async def cancel(self) -> None:
        """Cancel the event by the API."""
        page = await self._page()
        await self.stage.worker.cancel_booking(
            self.integration.user_id, uuid4().hex, page[0], "Ill"
        )

    async def mark(self) -> None:
        """Mark the first of the bookings as a no-show by the API."""
        await self._toggle(no_show=True)

    async def clear(self) -> None:
        """Take the mark back by the API."""
        await self._toggle(no_show=False)

    async def deliver(self) -> int:
        """Deliver all that is waiting, newest first, twice; return how many there were."""
        listed = await self.stage.calendly.control("GET", "/deliveries?state=pending")
        for each in listed["deliveries"] * 2:
            one = await self.stage.calendly.control("GET", f"/deliveries/{each['id']}")
            body = msgspec.json.encode(
                {
                    "event": one["event"],
                    "created_at": one["created_at"],
                    "created_by": self.integration.account.user_uri,
                    "payload": one["payload"],
                }
            )
            key = one["callback_url"].rpartition("/")[2]
            await self.stage.worker.ingest_webhook(body, self._signature(body), key)
        await self.stage.calendly.control("POST", "/deliveries/drop")
        return len(listed["deliveries"])

    def _signature(self, body: bytes) -> str:
        at = int(self.stage.clock.now().timestamp())
        digest = hmac.digest(b"sandbox-signing-key", f"{at}.".encode() + body, "sha256").hex()
        return f"t={at},v1={digest}"

    async def _toggle(self, *, no_show: bool) -> None:
        page = await self._page()
        await self.stage.worker.mark_no_show(
            self.integration.user_id, uuid4().hex, page[0], no_show=no_show
        )

    async def _page(self) -> list[BookingId]:
        page = await self.stage.worker.list_bookings(
            self.integration.user_id, BookingQuery(limit=100)
        )
        return [each.booking.id for each in page.items]


@pytest.fixture
async def ada(database_url: Secret) -> AsyncIterator[Connected]:
    """An account with a group event of two, whose deliveries wait to be sent."""
    async with staged(1, database_url) as stage:
        accounts = Accounts(stage)
        await accounts.connect(1)
        await stage.calendly.control("POST", "/deliveries/pause")
        (integration,) = await accounts.all()
        await stage.worker.ensure_subscription(integration.id)
        user = await stage.calendly.control("GET", f"/users/{HOST}")
        workshop = user["event_types"][-1]["uuid"]
        first = await stage.calendly.control("POST", "/invitees", event_type=workshop)
        start = first["scheduled_event"]["start_time"]
        await stage.calendly.control(
            "POST", "/invitees", event_type=workshop, start_time=start, email="b@example.net"
        )
        made = Connected(stage, integration)
        assert await made.deliver() == 2
        assert await made.seen() == [(BOOKED, False)] * 2
        yield made


async def test_a_cancellation_shows_at_once_and_its_webhooks_agree(ada: Connected) -> None:
    """Each invitee of the event is canceled when Calendly answers, and nothing changes later."""
    await ada.cancel()
    at_once = await ada.facts()

    assert [each.status for each in at_once] == [CANCELED] * 2
    assert {each.cancellation and each.cancellation.by_kind for each in at_once} == {"host"}
    assert await ada.deliver() == 2
    assert await ada.facts() == at_once


async def test_a_mark_shows_at_once_and_its_webhook_agrees(ada: Connected) -> None:
    """A no-show is one as soon as we are answered, and its webhook says the same mark."""
    await ada.mark()
    at_once = [each.no_show for each in await ada.facts()]

    assert sorted(bool(mark) for mark in at_once) == [False, True]
    assert await ada.deliver() == 1
    assert [each.no_show for each in await ada.facts()] == at_once


@pytest.mark.parametrize(
    "acts",
    [
        (Connected.mark, Connected.clear),
        (Connected.mark, Connected.clear, Connected.mark),
        (Connected.mark, Connected.clear, Connected.mark, Connected.clear),
        (Connected.mark, Connected.clear, Connected.cancel),
    ],
    ids=["mark, clear", "set again", "taken back twice", "canceled after all"],
)
@pytest.mark.parametrize("late", [True, False], ids=["all late", "each between"])
async def test_webhooks_agree_with_our_own_acts_however_late(
    ada: Connected, acts: tuple[Act, ...], late: bool
) -> None:
    """Delivered between our acts or long after them, in any order, webhooks change nothing."""
    for act in acts:
        await act(ada)
        at_once = await ada.seen()
        if not late:
            await ada.deliver()
            assert await ada.seen() == at_once
    await ada.deliver()

    assert await ada.seen() == at_once
    assert await ada.stage.worker.reconcile_bookings(ada.integration.id, backfill=False) == 0
    assert await ada.seen() == at_once


async def test_a_webhook_before_our_own_act_agrees(ada: Connected) -> None:
    """A webhook of the same act arrives first: our own act then changes nothing."""
    event = (await ada.facts())[0].event_uri.rpartition("/")[2]
    await ada.stage.calendly.control("POST", f"/scheduled-events/{event}/cancel")
    await ada.deliver()
    earlier = await ada.facts()

    await ada.cancel()

    assert [each.status for each in earlier] == [CANCELED] * 2
    assert [each.cancellation for each in await ada.facts()] == [
        each.cancellation for each in earlier
    ]


async def test_one_delivery_cancels_each_invitee_of_the_event(ada: Connected) -> None:
    """The host cancels at Calendly, which sends one delivery: no webhook counts as lost later."""
    calendly = ada.stage.calendly
    await calendly.control("PATCH", "/switches", group_cancel_fan_out="first")
    event = (await ada.facts())[0].event_uri.rpartition("/")[2]
    await calendly.control("POST", f"/scheduled-events/{event}/cancel")

    assert await ada.deliver() == 1
    assert await ada.seen() == [(CANCELED, False)] * 2
    assert await ada.stage.worker.reconcile_bookings(ada.integration.id, backfill=False) == 0
    by_kinds = {each.cancellation and each.cancellation.by_kind for each in await ada.facts()}
    assert by_kinds == {"host"}
