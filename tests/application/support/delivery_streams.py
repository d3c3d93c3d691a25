"""Random streams of deliveries about a few integrations, and what a store says after one."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace as changed_act
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

from msgspec.structs import replace

from application.webhooks.delivery import Delivery
from domain.booking import BookingStatus, Facts
from domain.ids import IntegrationId
from domain.integration import Integration
from domain.webhook import ParsedWebhook
from tests.domain.histories import ACTS, HALVES, Act, Calendly
from tests.fakes.clock import NOON
from tests.fakes.state import State


class Outcome(NamedTuple):
    """The rows that a stream left behind, without their random ids."""

    events: dict[str, tuple[str, str | None, bytes, IntegrationId | None]]
    bookings: dict[tuple[IntegrationId, str], Facts]
    invalidations: dict[IntegrationId, Mapping[str, tuple[datetime, str]]]


def seeded(seed: int) -> Random:
    """Return chance that is the same in every run."""
    return Random(seed)  # noqa: S311


def outcome_of(state: State) -> Outcome:
    """Return what the fake store holds."""
    return Outcome(
        events={
            row.event.dedupe_key: (
                row.status,
                row.reason,
                row.event.body,
                row.event.integration_id,
            )
            for row in state.webhook_events.values()
        },
        bookings={at: booking.facts for at, booking in state.bookings.items()},
        invalidations={at: row.invalidated for at, row in state.integrations.items()},
    )


def stream(random: Random, owners: Sequence[Integration], acts: int = 8) -> list[Delivery]:
    """Return deliveries in any order, some of them more than once.

    They are about single and group bookings, reschedules, cancellations, marks and changed event
    types. Some are of unknown kinds, and some payloads cannot be read.
    """
    lives = Calendly().live([Act("book"), *(_act(random) for _ in range(acts))])
    told = [_of_booking(random, owners, number, f) for number, f in enumerate(lives.bodies)]
    told += [_other(random, owners, number) for number in range(acts // 2)]
    told += random.choices(told, k=len(told) // 2)
    random.shuffle(told)
    return told


def cut(random: Random, told: Sequence[Delivery]) -> list[list[Delivery]]:
    """Return the deliveries in groups of any size."""
    groups, left = [], list(told)
    while left:
        size = random.randint(1, len(left))
        groups.append(left[:size])
        left = left[size:]
    return groups


def _act(random: Random) -> Act:
    act = Act(random.choice(ACTS), which=random.randint(0, 5), after=random.randint(1, 2))
    return changed_act(act, told_by=random.choice(HALVES))


def _of_booking(
    random: Random, owners: Sequence[Integration], number: int, facts: Facts
) -> Delivery:
    hosts = tuple(
        each.account.user_uri for each in random.sample(owners, random.randint(1, len(owners)))
    )
    details = replace(facts.details, host_uris=hosts)
    kind = "invitee.created" if facts.status is BookingStatus.BOOKED else "invitee.canceled"
    return _delivery(
        random,
        owners,
        kind=kind,
        subject=facts.invitee_uri,
        occurrence=str(number),
        facts=replace(facts, details=details),
        account_uris=hosts,
    )


def _other(random: Random, owners: Sequence[Integration], number: int) -> Delivery:
    kinds: list[dict[str, Any]] = [
        {"kind": "event_type.updated", "subject": "type", "occurrence": str(number)},
        {"kind": "contact.created"},
        {"kind": "invitee.created", "unreadable": "payload.email"},
    ]
    accounts = random.choice([(), ("nobody",), (random.choice(owners).account.user_uri,)])
    return _delivery(random, owners, **random.choice(kinds), account_uris=accounts)


def _delivery(random: Random, owners: Sequence[Integration], **said: Any) -> Delivery:
    addressee = random.choice([None, *(each.id for each in owners)])
    webhook = ParsedWebhook(occurred_at=NOON, **said)
    told = f"{said['kind']} {said.get('subject')} {said.get('occurrence')} {random.randint(0, 3)}"
    body = hashlib.sha256(told.encode()).digest()
    if webhook.unreadable is not None:  # an unreadable body names no account
        webhook = replace(webhook, account_uris=())
    return Delivery(body, webhook, addressee, NOON)
