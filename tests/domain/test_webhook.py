import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.webhook import (
    EVENT_TYPE_KINDS,
    INVITEE_KINDS,
    NO_SHOW_KINDS,
    ParsedWebhook,
    Topic,
    dedupe_key,
    topic,
)
from tests.domain.samples import API, NOW, invitee_uri, seconds

SCOPE = "integration-1"
CREATED = ParsedWebhook(kind="invitee.created", occurred_at=NOW, subject=invitee_uri("A"))
UNKNOWN = ParsedWebhook(kind="meeting_recap.created", occurred_at=NOW)


def changed(webhook: ParsedWebhook, **changes: object) -> ParsedWebhook:
    """Return the notice with some fields changed."""
    return msgspec.structs.replace(webhook, **changes)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (INVITEE_KINDS | NO_SHOW_KINDS, Topic.BOOKING),
        (EVENT_TYPE_KINDS, Topic.EVENT_TYPE),
        (frozenset({"routing_form_submission.created", "made.up", ""}), Topic.NONE),
    ],
)
def test_kinds_say_what_they_change(kinds: frozenset[str], expected: Topic) -> None:
    """Invitees and no-shows change bookings, event types themselves, and the rest nothing."""
    assert {topic(kind) for kind in kinds} == {expected}


def test_the_same_fact_twice_has_one_key() -> None:
    """A second delivery of a fact is recognised although its body was written again."""
    again = changed(CREATED, occurred_at=NOW + seconds(90))

    assert dedupe_key(CREATED, b'{"one": 1}', SCOPE) == dedupe_key(again, b'{"two": 2}', SCOPE)


@pytest.mark.parametrize(
    "other",
    [
        changed(CREATED, subject=invitee_uri("B")),
        changed(CREATED, kind="invitee.canceled"),
        changed(CREATED, occurrence="2026-11-22T09:00:00Z"),
    ],
    ids=["second invitee of the event", "canceled", "repeated toggle"],
)
def test_another_fact_has_another_key(other: ParsedWebhook) -> None:
    """The second invitee of a group event, or another event of theirs, is not a duplicate."""
    assert dedupe_key(other, b"{}", SCOPE) != dedupe_key(CREATED, b"{}", SCOPE)


def test_each_integration_takes_in_the_fact_for_itself() -> None:
    """Two users who see the same event each get it, so the key includes whose delivery it is."""
    assert dedupe_key(CREATED, b"{}", SCOPE) != dedupe_key(CREATED, b"{}", "integration-2")


def test_repeated_toggles_are_distinguished_by_their_mark() -> None:
    """Taking a no-show mark back for the second time is another fact than for the first."""
    deleted = ParsedWebhook(
        kind="invitee_no_show.deleted",
        occurred_at=NOW,
        subject=invitee_uri("A"),
        occurrence="09:00",
    )

    assert dedupe_key(deleted, b"{}", SCOPE) == dedupe_key(deleted, b"{ }", SCOPE)
    assert dedupe_key(deleted, b"{}", SCOPE) != dedupe_key(
        changed(deleted, occurrence="10:00"), b"{}", SCOPE
    )


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_body_we_cannot_read_is_known_by_its_bytes(one: bytes, other: bytes) -> None:
    """Of an unknown kind the same bytes are the same fact, and other bytes another."""
    same = dedupe_key(UNKNOWN, one, SCOPE) == dedupe_key(UNKNOWN, other, SCOPE)

    assert same is (one == other)


def test_an_unreadable_payload_is_known_by_its_bytes() -> None:
    """Of a known kind whose payload cannot be read, the same bytes are the same event."""
    unreadable = ParsedWebhook(kind="invitee.created", occurred_at=NOW, unreadable="payload.email")

    assert dedupe_key(unreadable, b"one", SCOPE) == dedupe_key(unreadable, b"one", SCOPE)
    assert dedupe_key(unreadable, b"one", SCOPE) != dedupe_key(unreadable, b"two", SCOPE)


def test_a_key_reveals_nothing() -> None:
    """The key is a digest: it shows neither the URI nor anything of the body."""
    key = dedupe_key(CREATED, b"ada@example.com", SCOPE)

    assert len(key) == 64
    assert int(key, 16) >= 0
    assert API not in key
