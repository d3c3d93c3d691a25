"""Decide when a webhook that could not be applied is retried, or that it becomes a dead letter.

- Our database is unavailable: after 30 s; not counted.
- Another transaction locks the rows: after 10 s; not counted.
- The encryption key is unknown: after 15 min; not counted.
- Calendly, which is asked for what the body does not tell, fails: after 5 min; not counted.
- Malformed, unreadable or corrupt: after 5 min, doubling to 1 h; a dead letter after 4 attempts.
- Any other error, which is a bug: after 30 s, doubling to 1 h; a dead letter after 10 attempts.

A failure that passes by itself, or by one action of an operator, never makes a dead letter. Only a
failure of the webhook itself does.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from domain.backoff import RetryPolicy, delay
from domain.errors import (
    AccessTokenRejected,
    CalendlyProtocolError,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    CircuitOpen,
    EncryptionKeyUnknown,
    MalformedWebhook,
    RefreshInProgress,
    SealedValueCorrupt,
    SealedValueUnreadable,
    StorageContended,
    StorageUnavailable,
)

UNREADABLE: Final = "webhook_unreadable"

PASSING: Final[Mapping[str, timedelta]] = MappingProxyType({
    StorageUnavailable.code: timedelta(seconds=30),
    StorageContended.code: timedelta(seconds=10),
    EncryptionKeyUnknown.code: timedelta(minutes=15),
    **dict.fromkeys(
        (
            CalendlyUnavailable.code,
            CalendlyUncertain.code,
            CalendlyThrottled.code,
            CalendlyProtocolError.code,
            AccessTokenRejected.code,
            CircuitOpen.code,
            RefreshInProgress.code,
        ),
        timedelta(minutes=5),
    ),
})  # fmt: skip
"""The pause before the next attempt, by error code; these attempts are not counted."""

NEEDS_PERSON: Final = RetryPolicy(base=timedelta(minutes=5), cap=timedelta(hours=1), limit=4)
"""Fails the same way until an operator deploys or restores something; a dead letter soon."""

UNEXPECTED: Final = RetryPolicy(base=timedelta(seconds=30), cap=timedelta(hours=1), limit=10)
"""May be a bug that a deploy fixes, or a passing error without a code of its own."""

_NEEDS_PERSON: Final = frozenset(
    {MalformedWebhook.code, UNREADABLE, SealedValueCorrupt.code, SealedValueUnreadable.code}
)


class Verdict(msgspec.Struct, frozen=True):
    """The decision after a failed attempt.

    Args:
        pause: the time until the next attempt; None makes the event a dead letter.
        counted: whether the attempt counts towards the limit.

    """

    pause: timedelta | None
    counted: bool = True


def verdict(code: str, attempt: int, fraction: float) -> Verdict:
    """Decide about an event that was not applied.

    Args:
        code: the error's code.
        attempt: the number of this attempt among the counted ones, from 1.
        fraction: a random number in [0, 1); it spreads the retries of events that failed together.

    """
    if code in PASSING:
        return Verdict(PASSING[code] * _spread(fraction), counted=False)
    policy = policy_of(code)
    if attempt >= policy.limit:
        return Verdict(None)
    return Verdict(delay(policy, attempt, _spread(fraction)))


def policy_of(code: str) -> RetryPolicy:
    """Return the retry policy of an error whose attempts are counted."""
    return NEEDS_PERSON if code in _NEEDS_PERSON else UNEXPECTED


def _spread(fraction: float) -> float:
    # At least half of a pause remains.
    return 0.5 + fraction / 2
