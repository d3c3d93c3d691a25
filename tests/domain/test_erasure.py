import unicodedata
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.booking import (
    LAG,
    Cancellation,
    Facts,
    Invitee,
    Links,
    Location,
    merge,
)
from domain.erasure import (
    NOBODY,
    anonymous,
    is_body_covered,
    is_covered,
    normalised,
    without_erased,
)
from domain.reconciliation import settle
from domain.secret import Secret
from tests import samples
from tests.domain import strategies
from tests.domain.histories import Calendly, histories
from tests.fakes.clock import NOON

EMAIL = "grace@example.net"
PERSON = ("Grace", EMAIL, "Europe/Zurich", "+41 44 000 00 00", "s3cret", "I am ill", "cal-1")


def personal(**changes: object) -> Facts:
    """Return facts that are full of one person."""
    details = samples.details(
        invitee=Invitee(name="Grace", email=EMAIL, timezone="Europe/Zurich"),
        event_name="Grace and Ada",
        location=Location("outbound_call", "+41 44 000 00 00", "https://meet/s3cret"),
        calendar_event_id="cal-1",
    )
    return samples.facts(
        "A",
        details=details,
        cancellation=Cancellation(NOON, "Grace", "invitee", "I am ill"),
        links=Links(Secret("s3cret-cancel"), Secret("s3cret-move")),
        **changes,
    )


def texts(facts: Facts) -> str:
    """Return everything that facts say, links included."""
    details = facts.details
    parts = [details.event_name, details.calendar_event_id, str(details.invitee.timezone)]
    parts += [details.invitee.name, details.invitee.email]
    if details.location:
        parts += [details.location.kind, details.location.text, details.location.join_url]
    if facts.cancellation:
        parts += [facts.cancellation.by, facts.cancellation.reason]
    links = (facts.links.cancel, facts.links.reschedule)
    return " ".join([*map(str, parts), *(each.reveal() for each in links if each)])


def test_nothing_of_the_person_stays() -> None:
    """Name, address, zone, phone number, links, reason and calendar entry are gone."""
    said = texts(anonymous(personal()))

    assert [each for each in PERSON if each in said] == []


def test_what_the_calendar_needs_stays() -> None:
    """Time, host, state and links of the booking are kept."""
    before = personal(predecessor="P", successor=None, reference="slotkeeper-1")

    after = anonymous(before)

    assert (
        replace(
            after, details=before.details, cancellation=before.cancellation, links=before.links
        )
        == before
    )
    assert (after.details.start, after.details.end) == (before.details.start, before.details.end)
    assert after.details.host_uris == before.details.host_uris
    assert after.cancellation == Cancellation(NOON, "", "invitee", None)


def test_a_host_s_name_is_not_the_invitee_s() -> None:
    """A host's cancellation keeps its author, without the reason, which may be about the person."""
    by_host = replace(personal(), cancellation=Cancellation(NOON, "Ada", "host", "Grace is late"))

    assert anonymous(by_host).cancellation == Cancellation(NOON, "Ada", "host", None)


def test_an_event_s_own_name_stays() -> None:
    """The name of an event that does not name the person is kept."""
    plain = replace(personal(), details=replace(personal().details, event_name="Intro"))

    assert anonymous(plain).details.event_name == "Intro"


@given(strategies.facts(), strategies.facts())
def test_anonymous_stays_anonymous(one: Facts, other: Facts) -> None:
    """Merging anonymous facts, in any order, gives anonymous ones."""
    merged = merge(anonymous(one), anonymous(other))

    assert merged == merge(anonymous(other), anonymous(one))
    assert anonymous(merged) == merged
    assert merged.details.invitee == NOBODY


@given(histories(1), st.randoms(use_true_random=False), st.integers(0, 10))
def test_no_history_brings_anybody_back(calendly: Calendly, chance: Random, split: int) -> None:
    """Erased facts stay erased, for any order and number of Calendly's repetitions."""
    bodies = [_of_grace(each) for each in calendly.bodies]
    chance.shuffle(bodies)
    before = {each.facts.invitee_uri: each.facts for each in settle({}, bodies[:split])}
    erased = {uri: anonymous(facts) for uri, facts in before.items()}

    later = without_erased(bodies * 2, {EMAIL: NOON + timedelta(days=3650)}, {})
    after = {**erased, **{each.facts.invitee_uri: each.facts for each in settle(erased, later)}}

    assert after.keys() == {each.invitee_uri for each in bodies} | before.keys()
    assert all(facts.details.invitee == NOBODY for facts in after.values())


def _of_grace(facts: Facts) -> Facts:
    return replace(facts, details=replace(facts.details, invitee=Invitee("Grace", EMAIL)))


@pytest.mark.parametrize("spelling", [EMAIL, EMAIL.upper(), f"  {EMAIL} "])
def test_spellings(spelling: str) -> None:
    """Small and capital letters, and blanks around it, make no other address."""
    facts = replace(
        personal(), details=replace(personal().details, invitee=Invitee("Grace", spelling))
    )

    (stripped,) = without_erased([facts], {normalised(EMAIL): NOON}, {})

    assert stripped.details.invitee == NOBODY


SAME = [
    ("  grace@example.net \t\u00a0", EMAIL),
    ("STRA\u1e9eE@x.de", "stra\u00dfe@x.de"),
    ("\u0130pek@x.tr", "I\u0307pek@x.tr"),
    ("\u0130pek@x.tr", "i\u0307pek@x.tr"),
    ("JOSE\u0301@x.es", "jos\u00e9@x.es"),
    ("\u212bsa@x.se", "a\u030asa@x.se"),
]
OTHERS = [
    ("stra\u00dfe@x.de", "strasse@x.de"),
    ("\u0130pek@x.tr", "ipek@x.tr"),
    ("\u0131pek@x.tr", "ipek@x.tr"),
    ("jos\u00e9@x.es", "jose@x.es"),
    ("grace @example.net", EMAIL),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_address(one: str, other: str) -> None:
    """White space around it, capitals of any script, and composed letters make no difference."""
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_addresses_that_only_look_alike(one: str, other: str) -> None:
    """Letters that differ in any language are other people's: similarity erases no person."""
    assert normalised(one) != normalised(other)


@given(st.text() | st.emails())
def test_normalised_stays_so(email: str) -> None:
    """A normalised address is its own normal form."""
    once = normalised(email)

    assert normalised(once) == once
    assert normalised(f" {unicodedata.normalize('NFD', email.strip())}\n") == once


@pytest.mark.parametrize(
    ("received", "booked", "covered"),
    [
        (0, 999, True),
        (1, -1, True),
        (1, 60, True),
        (1, 61, False),
        (1, None, False),
        (0, None, True),
    ],
)
def test_which_bodies_an_erasure_is_for(received: int, booked: int | None, covered: bool) -> None:
    """An erasure is for all that had arrived, and for what arrives of bookings made before it."""
    booked_at = None if booked is None else NOON + timedelta(seconds=booked)

    assert is_body_covered(NOON + timedelta(seconds=received), booked_at, NOON) is covered


def test_others_are_untouched() -> None:
    """Facts of any other person are the same values as before."""
    other = samples.facts("B")

    assert without_erased([other], {EMAIL: NOON}, {}) == [other]


@pytest.mark.parametrize(("seconds", "covered"), [(-1, True), (0, True), (61, False)])
def test_who_books_again_is_known_again(seconds: int, covered: bool) -> None:
    """An erasure holds for what was booked until then, and not for what is booked afterwards."""
    booked = personal(created_at=NOON + timedelta(seconds=seconds))

    assert is_covered(booked, NOON) is covered
    assert timedelta(minutes=1) == LAG


@pytest.mark.parametrize(("seconds", "covered"), [(-1, True), (0, True), (1, False)])
def test_what_was_stored_by_then_is_covered(seconds: int, covered: bool) -> None:
    """A booking that was stored when a person was erased is theirs, at any creation time."""
    booked = personal(created_at=NOON + timedelta(days=1))

    assert is_covered(booked, NOON, NOON + timedelta(seconds=seconds)) is covered
