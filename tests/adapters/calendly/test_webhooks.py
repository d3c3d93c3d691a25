from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendly.webhooks import CalendlyWebhookReader
from domain.booking import BookingStatus, NoShow
from domain.errors import MalformedWebhook
from domain.webhook import ParsedWebhook, dedupe_key
from tests.adapters.calendly.support import UNHURRIED
from tests.fakes.calendly import bodies

MARKED_AT = datetime(2026, 12, 2, 21, 0, 0, 250000, tzinfo=UTC)
MARK = {"uri": bodies.NO_SHOW, "created_at": bodies.stamp(MARKED_AT)}
FORM = f"{bodies.API}/routing_form_submissions/SUBMISSION1"


def read(kind: str, about: Any, occurred_at: datetime = bodies.OCCURRED_AT) -> ParsedWebhook:
    """Return what the reader makes of a body."""
    return CalendlyWebhookReader().read(bodies.webhook(kind, about, occurred_at))


def test_a_new_booking_is_about_its_invitee() -> None:
    """`invitee.created` is known by the invitee alone and carries the facts."""
    webhook = read("invitee.created", bodies.payload())

    assert (webhook.kind, webhook.subject, webhook.occurrence) == (
        "invitee.created",
        bodies.INVITEE,
        None,
    )
    assert webhook.occurred_at == bodies.OCCURRED_AT
    assert webhook.facts is not None
    assert webhook.facts.status is BookingStatus.BOOKED
    assert webhook.facts.details.start == bodies.START


@pytest.mark.parametrize("changed", [{"status": "canceled"}, {"canceled": True}, {}])
def test_a_cancellation_cancels_whatever_the_status_says(changed: dict[str, Any]) -> None:
    """`invitee.canceled` is a cancellation in old bodies and new ones."""
    payload = bodies.payload(cancellation=bodies.cancellation(), **changed)

    webhook = read("invitee.canceled", payload)

    assert webhook.subject == bodies.INVITEE
    assert webhook.facts is not None
    assert webhook.facts.status is BookingStatus.CANCELED
    assert webhook.facts.cancellation is not None


def test_a_no_show_is_about_its_mark() -> None:
    """`invitee_no_show.created` is known by the mark, so that a second marking counts."""
    webhook = read("invitee_no_show.created", bodies.payload(no_show=MARK))

    assert (webhook.subject, webhook.occurrence) == (bodies.NO_SHOW, None)
    assert webhook.facts is not None
    assert webhook.facts.no_show == NoShow(MARKED_AT, bodies.NO_SHOW)


def test_a_mark_without_a_time_has_the_envelopes() -> None:
    """When the mark does not say when, the webhook does."""
    webhook = read("invitee_no_show.created", bodies.payload(no_show={"uri": bodies.NO_SHOW}))

    assert webhook.facts is not None
    assert webhook.facts.no_show == NoShow(bodies.OCCURRED_AT, bodies.NO_SHOW)


@pytest.mark.parametrize(
    ("kind", "payload", "whose"),
    [
        ("invitee.created", bodies.payload(), (bodies.USER,)),
        ("invitee.canceled", bodies.payload(), (bodies.USER,)),
        ("invitee_no_show.created", bodies.payload(no_show=MARK), (bodies.USER,)),
        ("invitee_no_show.deleted", bodies.payload(), (bodies.USER,)),
        ("event_type.updated", bodies.event_type(), (bodies.USER,)),
        ("event_type.updated", bodies.event_type() | {"profile": None}, ()),
    ],
)
def test_a_notice_says_whose_it_is(
    kind: str, payload: dict[str, Any], whose: tuple[str, ...]
) -> None:
    """A delivery to the app-wide address finds its account by what the body says."""
    assert read(kind, payload).account_uris == whose


def test_a_mark_taken_back_is_known_by_the_time() -> None:
    """`invitee_no_show.deleted` can repeat for one invitee; each time counts."""
    payload = bodies.payload()
    del payload["no_show"]

    webhook = read("invitee_no_show.deleted", payload)

    assert (webhook.subject, webhook.occurrence) == (
        bodies.INVITEE,
        bodies.OCCURRED_AT.isoformat(),
    )
    assert webhook.facts is not None
    assert webhook.facts.no_show == NoShow(bodies.OCCURRED_AT, None)


def test_a_mark_set_and_taken_back_within_one_second_is_taken_back() -> None:
    """The envelope's whole seconds do not turn a quick correction round."""
    cleared_at = MARKED_AT.replace(microsecond=750000)
    payload = bodies.payload(updated_at=bodies.stamp(cleared_at))

    webhook = read("invitee_no_show.deleted", payload, MARKED_AT.replace(microsecond=0))

    assert webhook.facts is not None
    assert webhook.facts.no_show == NoShow(cleared_at, None)


def test_an_ordinary_webhook_may_carry_a_mark() -> None:
    """A cancellation of a marked invitee keeps the mark."""
    webhook = read("invitee.canceled", bodies.payload(no_show=MARK))

    assert webhook.facts is not None
    assert webhook.facts.no_show == NoShow(MARKED_AT, bodies.NO_SHOW)


@pytest.mark.parametrize(
    ("kind", "changed", "mark"),
    [
        ("event_type.created", {}, bodies.stamp(bodies.BOOKED_AT)),
        ("event_type.updated", {}, bodies.stamp(bodies.BOOKED_AT)),
        ("event_type.updated", {"updated_at": None}, bodies.OCCURRED_AT.isoformat()),
        ("event_type.deleted", {"deleted_at": "2026-11-05T00:00:00Z"}, "2026-11-05T00:00:00Z"),
        ("event_type.deleted", {}, bodies.stamp(bodies.BOOKED_AT)),
    ],
)
def test_a_change_of_an_event_type_is_known_by_its_time(
    kind: str, changed: dict[str, Any], mark: str
) -> None:
    """`event_type.*` names the event type and which of its changes this is."""
    webhook = read(kind, bodies.event_type(**changed))

    assert (webhook.subject, webhook.occurrence, webhook.facts) == (bodies.EVENT_TYPE, mark, None)


@pytest.mark.parametrize(
    ("payload", "subject"), [({"uri": FORM}, FORM), ({}, None), ({"uri": 7}, None), ([1], None)]
)
def test_a_routing_form_submission_counts_once(payload: Any, subject: str | None) -> None:
    """A submission is known by its URI, or by its whole body where it has none."""
    webhook = read("routing_form_submission.created", payload)

    assert (webhook.subject, webhook.facts) == (subject, None)


@pytest.mark.parametrize("payload", [{}, None, [1, 2], "text", {"uri": "x", "deep": {"a": []}}])
def test_an_unknown_kind_is_a_notice(payload: Any) -> None:
    """A kind that Calendly adds later is kept, not refused."""
    webhook = read("contact.created", payload)

    assert webhook == ParsedWebhook(kind="contact.created", occurred_at=bodies.OCCURRED_AT)


ENVELOPE = {"event": "invitee.created", "created_at": "2026-11-02T10:00:01Z", "payload": {}}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[1]", "body"),
        (b'"text"', "body"),
        (b"null", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 100_000, "body"),
        (msgspec.json.encode({**ENVELOPE, "event": ""}), "event"),
        (msgspec.json.encode({**ENVELOPE, "event": 7}), "event"),
        (msgspec.json.encode({**ENVELOPE, "created_at": "yesterday"}), "created_at"),
        (msgspec.json.encode({**ENVELOPE, "created_at": "2026-11-02T10:00:01"}), "created_at"),
        (msgspec.json.encode({"event": "x", "created_at": "2026-11-02T10:00:01Z"}), "payload"),
        (msgspec.json.encode({**ENVELOPE, "created_at": "0001-01-01T00:00:00Z"}), "created_at"),
    ],
)
def test_a_body_without_an_envelope_is_refused(body: bytes, field: str) -> None:
    """A body that is not an event is refused, and the error names its fault."""
    with pytest.raises(MalformedWebhook) as caught:
        CalendlyWebhookReader().read(body)

    assert str(caught.value) == (
        f"This is not a Calendly webhook: {field} is missing or unreadable."
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (msgspec.json.encode(ENVELOPE), "payload.uri"),
        (bodies.webhook("invitee.created", bodies.invitee()), "payload.scheduled_event"),
        (bodies.webhook("invitee.created", bodies.payload(email=["x"])), "payload.email"),
        (
            bodies.webhook("invitee.created", bodies.payload(created_at="0001-01-01T00:00:00Z")),
            "payload.created_at",
        ),
        (
            bodies.webhook(
                "invitee.created", bodies.payload(scheduled_event=bodies.event(start_time="x"))
            ),
            "payload.scheduled_event.start_time",
        ),
        (bodies.webhook("invitee_no_show.created", bodies.payload()), "payload.no_show"),
        (bodies.webhook("event_type.updated", {}), "payload.uri"),
        (bodies.webhook("event_type.updated", None), "payload"),
    ],
)
def test_a_payload_that_cannot_be_read_names_the_field(body: bytes, field: str) -> None:
    """An event of a known kind that says too little is a notice with the name of its fault."""
    webhook = CalendlyWebhookReader().read(body)

    assert webhook.unreadable == field
    assert (webhook.subject, webhook.facts, webhook.account_uris) == (None, None, ())


@pytest.mark.parametrize(
    "payload",
    [
        bodies.payload(cancellation=bodies.cancellation(canceled_by=None, canceler_type=None)),
        bodies.payload(scheduled_event=bodies.event(location={"type": None})),
        bodies.payload(scheduled_event=bodies.event(end_time=None, status=None)),
        bodies.payload(tracking={"utm_content": 7}),
        bodies.payload(tracking={"utm_content": {"deep": []}}),
        bodies.payload(email=None, status=None),
    ],
)
def test_a_field_that_is_null_costs_no_event(payload: dict[str, Any]) -> None:
    """A field that is not required may be null or strange; the other facts are still read."""
    webhook = read("invitee.canceled", payload)

    assert webhook.unreadable is None
    assert webhook.facts is not None
    assert webhook.facts.status is BookingStatus.CANCELED
    assert webhook.facts.reference is None


def test_half_a_surrogate_pair_is_replaced() -> None:
    """Half of a surrogate pair becomes the replacement character; a whole pair stays."""
    body = bodies.webhook("invitee.created", bodies.payload(name="NAME"))
    odd = body.replace(b"NAME", rb"a\ud800b\uDE00 \ud83d\ude00 \\ud800")

    webhook = CalendlyWebhookReader().read(odd)

    assert webhook.facts is not None
    assert webhook.facts.details.invitee.name == "a\ufffdb\ufffd \U0001f600 \\ud800"


def test_an_escaped_nul_is_replaced() -> None:
    """A NUL, which PostgreSQL cannot hold, becomes the replacement character; a look-alike stays."""
    webhook = read("invitee.created", bodies.payload(name="a\0\0b", timezone="\\u0000"))

    assert webhook.facts is not None
    assert webhook.facts.details.invitee.name == "a\ufffd\ufffdb"
    assert webhook.facts.details.invitee.timezone == "\\u0000"


@UNHURRIED
@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing that arrives raises anything but MalformedWebhook."""
    try:
        CalendlyWebhookReader().read(body)
    except MalformedWebhook:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [
        "invitee.created",
        "invitee.canceled",
        "invitee_no_show.created",
        "invitee_no_show.deleted",
        "event_type.updated",
        "routing_form_submission.created",
    ]
)


@UNHURRIED
@given(KINDS, st.sampled_from(sorted(bodies.payload())), JSON)
def test_any_field_may_hold_anything(kind: str, field: str, value: Any) -> None:
    """A known kind with a strange field is stored unread; a report of it never holds a value."""
    webhook = read(kind, bodies.payload(no_show=MARK) | {field: value})

    assert webhook.unreadable is None or webhook.unreadable.startswith(f"payload.{field}")


def test_facts_are_distinguished_as_they_should() -> None:
    """Two invitees of one event differ; one fact delivered for two subscriptions does not."""
    second = bodies.payload(uri=f"{bodies.EVENT}/invitees/INVITEE0002")
    keys = [
        dedupe_key(read("invitee.created", each), b"", "integration")
        for each in (bodies.payload(), bodies.payload(name="Grace I."), second)
    ]

    assert keys[0] == keys[1] != keys[2]
