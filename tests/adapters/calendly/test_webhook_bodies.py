from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendly.webhook_bodies import CalendlyWebhookBodies
from adapters.calendly.webhooks import CalendlyWebhookReader
from application.ports.calendly.bookings import REFERENCE_PREFIX
from domain.booking import Facts
from domain.erasure import anonymous
from tests.fakes.calendly import bodies as calendly

BODIES = CalendlyWebhookBodies()
READ = CalendlyWebhookReader().read
EMAIL = "grace@example.net"
PERSONAL: dict[str, Any] = {
    "name": "Grace Invitee",
    "text_reminder_number": "+41440000000",
    "questions_and_answers": [{"question": "Why?", "answer": "My divorce", "position": 0}],
    "tracking": calendly.tracking(utm_content="newsletter-of-grace"),
    "payment": {"external_id": "card-1"},
    "added_tomorrow": {"passport": "X123"},
}
GONE = ("Grace", EMAIL, "+4144", "divorce", "newsletter", "card-1", "X123", "Zurich")


def body(kind: str = "invitee.created", **changed: Any) -> bytes:
    """Return a body that is full of one person."""
    return calendly.webhook(kind, calendly.payload(**(PERSONAL | changed)))


def facts(raw: bytes) -> Facts:
    """Return what a body says of a booking."""
    webhook = READ(raw)
    assert webhook.facts is not None
    return webhook.facts


CANCELED = {"status": "canceled", "cancellation": calendly.cancellation()}
BY_INVITEE = {
    "status": "canceled",
    "cancellation": calendly.cancellation(canceled_by="Grace Invitee", canceler_type="invitee"),
}
MARKED = {"no_show": {"uri": calendly.NO_SHOW, "created_at": calendly.stamp(calendly.BOOKED_AT)}}
VARIANTS = [
    ("invitee.created", {}),
    ("invitee.created", {"old_invitee": f"{calendly.EVENT}/invitees/OLD"}),
    ("invitee.created", {"tracking": {"utm_content": f"{REFERENCE_PREFIX}abc"}}),
    ("invitee.canceled", CANCELED),
    ("invitee.canceled", BY_INVITEE),
    ("invitee.canceled", {**CANCELED, "rescheduled": True, "new_invitee": "https://x/NEW"}),
    ("invitee_no_show.created", MARKED),
    ("invitee_no_show.deleted", {}),
]


@pytest.mark.parametrize(("kind", "changed"), VARIANTS)
def test_the_person_is_gone(kind: str, changed: dict[str, Any]) -> None:
    """Of an invitee's own webhook nothing is left that tells who it was."""
    left = BODIES.erased(body(kind, **changed), {EMAIL}).decode()

    assert [each for each in GONE if each in left] == []
    assert "cancellations/" not in left
    assert "reschedulings/" not in left


@pytest.mark.parametrize(("kind", "changed"), VARIANTS)
def test_what_is_left_still_tells_of_the_booking(kind: str, changed: dict[str, Any]) -> None:
    """A rewritten webhook says of the booking exactly what an anonymous one is to say."""
    raw = body(kind, **changed)

    before, after = READ(raw), READ(BODIES.erased(raw, {EMAIL}))

    assert facts(BODIES.erased(raw, {EMAIL})) == anonymous(facts(raw))
    assert (after.kind, after.occurred_at, after.subject) == (
        before.kind,
        before.occurred_at,
        before.subject,
    )
    assert after.account_uris == before.account_uris


@pytest.mark.parametrize(("kind", "changed"), VARIANTS)
def test_twice_is_once(kind: str, changed: dict[str, Any]) -> None:
    """Rewriting a rewritten webhook changes nothing, and finds no person."""
    once = BODIES.erased(body(kind, **changed), {EMAIL})

    assert BODIES.erased(once, {EMAIL}) == once
    assert EMAIL not in BODIES.emails(once)


def test_an_event_that_is_named_after_the_person() -> None:
    """An event's name goes when it names the person."""
    raw = body(scheduled_event=calendly.event(name="Grace Invitee and Ada"))

    assert facts(BODIES.erased(raw, {EMAIL})).details.event_name == ""


def test_in_another_invitees_booking_the_address_is_blotted_out() -> None:
    """A guest at another invitee's booking loses the address; the booking keeps its invitee."""
    event = calendly.event(event_guests=[{"email": "Eve@Example.org"}])
    raw = body(
        scheduled_event=event,
        questions_and_answers=[{"answer": "with steve@example.org, link ?e=eve%40example.org&x"}],
    )

    left = BODIES.erased(raw, {"eve@example.org"}).decode()

    assert "eve@example.org" not in left.lower().replace("steve@example.org", "")
    assert "eve%40example.org" not in left
    assert "steve@example.org" in left
    assert facts(left.encode()).details.invitee == facts(raw).details.invitee


OTHERS = [f"o{each}brien@x.com" for each in "'&/=?!+"]


@pytest.mark.parametrize("other", OTHERS)
def test_an_address_that_holds_a_mark_is_one(other: str) -> None:
    """A guest's address with characters that also separate words is found and blotted out."""
    event = calendly.event(event_guests=[{"email": other.upper()}])
    raw = body(scheduled_event=event, questions_and_answers=[{"answer": f"Ask {other}."}])

    left = msgspec.json.decode(BODIES.erased(raw, {other}))

    assert BODIES.emails(raw) == {EMAIL, "host@example.com", other}
    assert left["payload"]["scheduled_event"]["event_guests"] == [{"email": "[erased]"}]
    assert left["payload"]["questions_and_answers"] == [{"answer": "Ask [erased]."}]


@pytest.mark.parametrize("guest", ["eve@localhost", "'eve@x.com", "/eve@x.com"])
def test_a_value_that_is_an_address_is_that_one(guest: str) -> None:
    """An odd address that is a whole value is found and compared as it is."""
    raw = body(scheduled_event=calendly.event(event_guests=[{"email": guest}]))

    left = msgspec.json.decode(BODIES.erased(raw, {guest}))

    assert BODIES.emails(raw) == {EMAIL, "host@example.com", guest}
    assert left["payload"]["scheduled_event"]["event_guests"] == [{"email": "[erased]"}]
    assert BODIES.erased(raw, {"eve@x.com"}) == msgspec.json.encode(msgspec.json.decode(raw))


@pytest.mark.parametrize("other", OTHERS)
def test_an_address_that_ends_in_the_erased_one_stays(other: str) -> None:
    """Nothing of a stranger goes whose address ends in the erased one."""
    event = calendly.event(event_guests=[{"email": other}])
    raw = body(scheduled_event=event, questions_and_answers=[{"answer": f"Ask ({other})."}])

    assert "brien@x.com" not in BODIES.emails(raw)
    assert msgspec.json.decode(BODIES.erased(raw, {"brien@x.com"})) == msgspec.json.decode(raw)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("'eve@x.com'", "'[erased]'"),
        ("bob@y.com/eve@x.com", "bob@y.com/[erased]"),
        ("@eve@x.com", "@[erased]"),
        ("<eve@x.com>,'Eve@X.com'", "<[erased]>,'[erased]'"),
        ("https://x.com/of/eve@x.com/a", "https://x.com/of/[erased]/a"),
        ("https://x.com/?a=1&e=eve@x.com&f=o'eve@x.com", None),
        ("?a=d'eve%40x.com&e=eve%40x.com", "?a=d'eve%40x.com&e=[erased]"),
        ("?e=%65ve%40x.com", "[erased]"),
        ("a=eve@x.com", "a=eve@x.com"),
    ],
)
def test_text_around_an_address(text: str, left: str | None) -> None:
    """Quotes, other addresses and the parts of a link do not belong to an address."""
    raw = body(questions_and_answers=[{"answer": text}])

    answers = msgspec.json.decode(BODIES.erased(raw, {"eve@x.com"}))["payload"]

    expected = left or "https://x.com/?a=1&e=[erased]&f=o'eve@x.com"
    assert answers["questions_and_answers"] == [{"answer": expected}]
    assert ("eve@x.com" in BODIES.emails(raw)) is (expected != text)


@pytest.mark.parametrize(
    "kind", ["contact.created", "routing_form_submission.created", "meeting_recap.created"]
)
def test_of_what_is_only_about_the_person_nothing_stays(kind: str) -> None:
    """Kinds that no booking needs keep their subject alone."""
    raw = calendly.webhook(
        kind, {"uri": "https://x/1", "submitter": {"email": EMAIL, "name": "Grace"}}
    )

    left = msgspec.json.decode(BODIES.erased(raw, {EMAIL}))

    assert left["payload"] == {"uri": "https://x/1"}


def test_an_event_type_keeps_whose_it_is() -> None:
    """A host's address in an event type is blotted out, and the change still has its effect."""
    raw = calendly.webhook("event_type.updated", calendly.event_type(description_plain=EMAIL))

    left = BODIES.erased(raw, {EMAIL})

    assert EMAIL.encode() not in left
    assert READ(left).account_uris == READ(raw).account_uris


@pytest.mark.parametrize("raw", [b"", b"not json grace@example.net", b"[]", b'{"payload": 1}'])
def test_what_cannot_be_understood_is_emptied(raw: bytes) -> None:
    """A body without the form of a webhook is replaced as a whole."""
    assert BODIES.erased(raw, {EMAIL}) == b"{}"


def test_addresses_are_found_at_any_place() -> None:
    """Addresses in names, texts, links and lists are found, in small letters."""
    raw = calendly.webhook(
        "contact.created",
        {
            "Mail@Example.com": 1,
            "a": ["write to X.Y+z@mail.example.org."],
            "b": "mailto:m@example.net?cc=c%40example.net",
        },
    )

    assert BODIES.emails(raw) >= {
        "mail@example.com",
        "x.y+z@mail.example.org",
        "m@example.net",
        "c@example.net",
    }


def test_an_odd_address_of_the_invitee_is_found() -> None:
    """The invitee's own address is found whatever it looks like."""
    assert '"odd one"@localhost' in BODIES.emails(body(email='"Odd One"@localhost'))


def test_text_that_is_not_json_is_searched() -> None:
    """The addresses in a body that is not JSON are found too."""
    assert BODIES.emails(b"\xff grace@example.net,") == {EMAIL}
    assert BODIES.without_links(b"\xff") is None


@pytest.mark.parametrize(
    "spelling",
    [
        "JOS\u00c9@x.es",
        "jose\u0301@x.es",
        "see ?e=jos%C3%A9%40x.es&x",
        "Jose\u0301@X.es!",
    ],
)
def test_every_spelling_is_blotted_out(spelling: str) -> None:
    """An address is taken out in whatever letters, composed or not, it was written."""
    raw = body(questions_and_answers=[{"answer": spelling}])

    left = BODIES.erased(raw, {"jos\u00e9@x.es"})

    assert "jos\u00e9@x.es" in BODIES.emails(raw)
    assert "jos\u00e9@x.es" not in BODIES.emails(left)
    assert facts(left).details.invitee == facts(raw).details.invitee


def test_text_around_an_address_stays() -> None:
    """Only the erased address leaves a text, in any spelling; another person's stays."""
    raw = body(questions_and_answers=[{"answer": "ask Jose\u0301@x.es, please"}])

    left = msgspec.json.decode(BODIES.erased(raw, {"jos\u00e9@x.es"}))

    assert left["payload"]["questions_and_answers"] == [{"answer": "ask [erased], please"}]


def test_when_it_was_made() -> None:
    """A body tells when its invitee booked, or else when Calendly made it, or nothing."""
    zoned = body(created_at="2026-11-02T12:00:00+02:00")
    undated = calendly.webhook("contact.created", {"uri": "x", "created_at": "yesterday"})

    assert BODIES.booked_at(zoned) == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert BODIES.booked_at(undated) == calendly.OCCURRED_AT
    for nothing in (b"", b"[]", b'{"payload": 1}', b'{"created_at": "2026-11-02T12:00:00"}'):
        assert BODIES.booked_at(nothing) is None


def test_acting_links_are_not_shown() -> None:
    """Links that cancel or reschedule without a login are removed from every field."""
    link = "https://calendly.com/cancellations/ABC"
    raw = body(questions_and_answers=[{"answer": f"see {link}"}], cancel_url=link)

    shown = BODIES.without_links(raw)

    assert "cancellations/" not in str(shown)
    assert shown["payload"]["cancel_url"] == shown["payload"]["reschedule_url"] == "[removed]"
    assert shown["payload"]["email"] == EMAIL


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9) | st.just(EMAIL),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["invitee.created", "event_type.updated", "new.kind", None]))
def test_any_json_loses_the_address(payload: object, kind: str | None) -> None:
    """The address is not in the rest of a body of any form."""
    raw = msgspec.json.encode({"event": kind, "payload": payload})

    left = BODIES.erased(raw, {EMAIL})

    assert EMAIL not in BODIES.emails(left)


@pytest.mark.parametrize("depth", [400, 900, 100_000])
def test_any_depth_is_searched(depth: int) -> None:
    """A body of any depth is searched, or replaced as a whole."""
    inside = b"[" * depth + b'"grace@example.net"' + b"]" * depth
    raw = b'{"event": "event_type.updated", "payload": {"x": ' + inside + b"}}"

    assert EMAIL in BODIES.emails(raw)
    assert EMAIL.encode() not in BODIES.erased(raw, {EMAIL})
    BODIES.without_links(raw)


@given(st.binary(max_size=40))
def test_any_bytes_are_borne(raw: bytes) -> None:
    """No body makes looking into it fail."""
    BODIES.emails(raw)
    BODIES.without_links(raw)

    assert isinstance(BODIES.erased(raw, {EMAIL}), bytes)
