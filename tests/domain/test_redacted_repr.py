from uuid import UUID

import msgspec
import pytest

from application.bookings.create_booking import BookingInput
from application.ports.calendly.bookings import Answer, BookingRequest
from application.ports.storage.webhook_events import WebhookEvent
from domain.booking import Booking, BookingStatus, Cancellation, Invitee, Links, Location
from domain.ids import BookingId, WebhookEventId
from domain.secret import Secret
from domain.webhook import ParsedWebhook
from tests.domain.samples import INTEGRATION, NOW, details, facts, integration, invitee_uri

PRIVATE = "private-zoe@example.com"
FACTS = facts(
    status=BookingStatus.CANCELED,
    details=details(
        event_name=PRIVATE,
        invitee=Invitee(name=PRIVATE, email=PRIVATE),
        location=Location(kind="custom", text=PRIVATE, join_url=PRIVATE),
    ),
    cancellation=Cancellation(at=NOW, by=PRIVATE, by_kind="host", reason=PRIVATE),
    links=Links(cancel=Secret(PRIVATE)),
)
EVENT = WebhookEvent(
    id=WebhookEventId(UUID(int=7)),
    dedupe_key="key",
    kind="invitee.created",
    body=PRIVATE.encode(),
    received_at=NOW,
    occurred_at=NOW,
)
ANSWER = Answer(question="Phone?", answer=PRIVATE, position=0)
REQUEST = BookingRequest(
    event_type_uri="T1",
    start=NOW,
    name=PRIVATE,
    email=PRIVATE,
    timezone="UTC",
    reference="slotkeeper:1",
    location=PRIVATE,
    answers=(ANSWER,),
    guests=(PRIVATE,),
)
INPUT = BookingInput(
    event_type="T1", start=NOW, name=PRIVATE, email=PRIVATE, timezone="UTC", guests=(PRIVATE,)
)
OWNER = integration()
ACCOUNT = msgspec.structs.replace(OWNER.account, name=PRIVATE, email=PRIVATE)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (FACTS, invitee_uri("A")),
        (FACTS.details, "T1"),
        (FACTS.details.invitee, "Invitee()"),
        (FACTS.details.location, "custom"),
        (FACTS.cancellation, "host"),
        (Booking(BookingId(UUID(int=8)), OWNER.user_id, INTEGRATION, FACTS), f"{UUID(int=8)}"),
        (ParsedWebhook(kind="invitee.created", occurred_at=NOW, facts=FACTS), "invitee.created"),
        (EVENT, f"{UUID(int=7)}"),
        (ANSWER, "position=0"),
        (REQUEST, "slotkeeper:1"),
        (INPUT, "T1"),
        (ACCOUNT, "users/U1"),
        (msgspec.structs.replace(OWNER, account=ACCOUNT), f"{INTEGRATION}"),
    ],
)
def test_a_representation_holds_nothing_personal(value: msgspec.Struct, shown: str) -> None:
    """A value in a log or a traceback shows its id, and no person."""
    assert shown in repr(value)
    assert "zoe" not in repr(value)
    assert "zoe" not in repr(value.__rich_repr__())
