"""What becomes of a stored webhook that could not be applied: when again, or never.

    error                             next attempt             counted, given up after
    our database is away              30 s                     no
    somebody else holds its rows      10 s                     no
    encryption key unknown            15 min                   no
    malformed, unreadable, corrupt    5 min, doubling to 1 h   4 attempts
    anything else: a bug              30 s, doubling to 1 h    10 attempts

The rule not to break: what heals by itself, or by an operator's one act, is never a dead letter
however long it takes. Time alone gives up only what fails on its own account.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from domain.backoff import RetryPolicy, delay
from domain.errors import (
    EncryptionKeyUnknown,
    MalformedWebhook,
    SealedValueCorrupt,
    SealedValueUnreadable,
    StorageContended,
    StorageUnavailable,
)

UNREADABLE: Final = "webhook_unreadable"

HEALS: Final[Mapping[str, timedelta]] = MappingProxyType({
    StorageUnavailable.code: timedelta(seconds=30),
    StorageContended.code: timedelta(seconds=10),
    EncryptionKeyUnknown.code: timedelta(minutes=15),
})  # fmt: skip
"""How far apart to look whether the cause is gone, by error code; nothing is counted."""

FOR_A_PERSON: Final = RetryPolicy(base=timedelta(minutes=5), cap=timedelta(hours=1), limit=4)
"""Fails the same way until somebody deploys or restores something; said soon, as a dead letter."""

UNFORESEEN: Final = RetryPolicy(base=timedelta(seconds=30), cap=timedelta(hours=1), limit=10)
"""May be a bug that one deploy mends, or a moment's trouble that we have no name for."""

_FOR_A_PERSON: Final = frozenset(
    {MalformedWebhook.code, UNREADABLE, SealedValueCorrupt.code, SealedValueUnreadable.code}
)


class Verdict(msgspec.Struct, frozen=True):
    """What to do about a failed attempt.

    Args:
        pause: how long until the next one; None makes the event a dead letter.
        counted: whether it counts towards giving up.

    """

    pause: timedelta | None
    counted: bool = True


def verdict(code: str, attempt: int, chance: float) -> Verdict:
    """Return what to do about an event that was not applied.

    Args:
        code: the error's.
        attempt: the number of this attempt among those that counted, from 1.
        chance: a random number in [0, 1), so that what failed together does not return together.

    """
    if code in HEALS:
        return Verdict(HEALS[code] * _spread(chance), counted=False)
    policy = policy_of(code)
    if attempt >= policy.limit:
        return Verdict(None)
    return Verdict(delay(policy, attempt, _spread(chance)))


def policy_of(code: str) -> RetryPolicy:
    """Return how often, and how far apart, an error is attempted that counts."""
    return FOR_A_PERSON if code in _FOR_A_PERSON else UNFORESEEN


def _spread(chance: float) -> float:
    # Half of a pause is never given up to chance: it would be no pause.
    return 0.5 + chance / 2
