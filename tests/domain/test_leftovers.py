from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import (
    EncryptionKeyUnknown,
    MalformedWebhook,
    StorageContended,
    StorageUnavailable,
)
from domain.pending_webhooks import NEEDS_PERSON, PASSING, UNEXPECTED, policy_of, verdict

CHANCE = st.floats(0, 1, exclude_max=True)


@given(st.sampled_from(sorted(PASSING)), st.integers(1, 10_000), CHANCE)
def test_what_heals_is_never_given_up(code: str, attempt: int, chance: float) -> None:
    """A passing failure is retried without a limit, and its attempts are not counted."""
    ruling = verdict(code, attempt, chance)

    assert ruling.pause is not None
    assert not ruling.counted
    assert PASSING[code] / 2 <= ruling.pause <= PASSING[code]


@given(st.sampled_from(["webhook_malformed", "sealed_value_corrupt", "unexpected", "new"]), CHANCE)
def test_everything_else_is_given_up_in_the_end(code: str, chance: float) -> None:
    """An error that does not heal is a dead letter after the number of attempts of its kind."""
    limit = policy_of(code).limit

    rulings = [verdict(code, attempt, chance) for attempt in range(1, limit + 1)]

    assert [each.pause is None for each in rulings] == [False] * (limit - 1) + [True]
    assert all(each.counted for each in rulings)


@pytest.mark.parametrize(
    ("code", "policy"),
    [
        (MalformedWebhook.code, NEEDS_PERSON),
        ("webhook_unreadable", NEEDS_PERSON),
        ("sealed_value_corrupt", NEEDS_PERSON),
        ("unexpected", UNEXPECTED),
        ("internal", UNEXPECTED),
    ],
)
def test_kinds_of_errors(code: str, policy: object) -> None:
    """Errors that only a person can fix become dead letters sooner than transient ones."""
    assert policy_of(code) is policy


def test_pauses_grow() -> None:
    """Each pause is at least as long as the one before, and none beyond an hour."""
    rulings = [verdict("unexpected", attempt, 0.5) for attempt in range(1, 10)]

    pauses = [each.pause for each in rulings if each.pause is not None]
    assert len(pauses) == len(rulings)
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(minutes=45)


def test_what_heals() -> None:
    """Our own database, a key that an operator can put back, and Calendly when it is asked."""
    assert set(PASSING) == {
        StorageUnavailable.code,
        StorageContended.code,
        EncryptionKeyUnknown.code,
        "calendly_unavailable",
        "calendly_uncertain",
        "calendly_throttled",
        "calendly_protocol_error",
        "access_token_rejected",
        "circuit_open",
        "refresh_in_progress",
    }
