"""The possible outcomes of a refresh, and the one rule for each.

    refreshed     Calendly answered with a new pair
    lost_race     another process changed the tokens first; read them again
    refused       the refresh token is dead: a person is needed
    throttled     asked to wait; nothing was exchanged
    unavailable   Calendly could not be asked; nothing was exchanged
    uncertain     the request may have been processed: the token may be spent
    held_back     nothing was sent: an open breaker, or another process's refresh
    misconfigured Calendly refused our app, not the account
    unreadable    the stored token does not open: quarantined until an operator helps

Only `refused` ever ends a grant. The effects of a transient outcome (breaker, lease, next attempt,
the code that operators see) are in RULES. The two final outcomes, a new pair and the need for a
person, are made by `refreshed` and `refused` of `domain.integration`.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec

from domain.errors import (
    CalendlyThrottled,
    CalendlyUncertain,
    CircuitOpen,
    ClientRefused,
    GrantRefused,
    IntegrationNotFound,
    RefreshInProgress,
    SealedValueUnreadable,
    SlotkeeperError,
    StorageUnavailable,
)


class Outcome(StrEnum):
    """How an exchange ended."""

    REFRESHED = "refreshed"
    LOST_RACE = "lost_race"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"
    HELD_BACK = "held_back"
    MISCONFIGURED = "misconfigured"
    UNREADABLE = "unreadable"


class Effect(StrEnum):
    """The effect of an outcome on the integration's own breaker."""

    CLOSES = "closes"
    FAILS = "fails"
    NOTHING = "nothing"


class Repeat(StrEnum):
    """When the job tries again."""

    WHEN_DUE = "when_due"
    BACKED_OFF = "backed_off"
    AFTER_AN_HOUR = "after_an_hour"
    NEVER = "never"


class Rule(msgspec.Struct, frozen=True):
    """The effects of an outcome.

    Args:
        ends_grant: tokens erased, `reauth_required`; False leaves the status as it is.
        breaker: the effect on the integration's breaker.
        repeat: when the job takes it up again.
        keeps_lease: no process may send the same token before the lease expires by itself. The
            request may still be under way, or Calendly asked for a wait.
        shows_code: operators see the error's code on the integration.

    """

    ends_grant: bool = False
    breaker: Effect = Effect.NOTHING
    repeat: Repeat = Repeat.WHEN_DUE
    keeps_lease: bool = False
    shows_code: bool = True


RULES: Final = {
    Outcome.REFRESHED: Rule(breaker=Effect.CLOSES, shows_code=False),
    Outcome.LOST_RACE: Rule(shows_code=False),
    Outcome.REFUSED: Rule(ends_grant=True, repeat=Repeat.NEVER),
    # The user's token requests wait in all processes: none may be sent before the wait is over.
    Outcome.THROTTLED: Rule(repeat=Repeat.BACKED_OFF, keeps_lease=True),
    Outcome.UNAVAILABLE: Rule(breaker=Effect.FAILS, repeat=Repeat.BACKED_OFF),
    Outcome.UNCERTAIN: Rule(breaker=Effect.FAILS, repeat=Repeat.BACKED_OFF, keeps_lease=True),
    # The breaker itself sets the time; the integration is due as soon as it closes.
    Outcome.HELD_BACK: Rule(),
    # The server is healthy, but every account gets the same answer until the app is corrected.
    Outcome.MISCONFIGURED: Rule(repeat=Repeat.AFTER_AN_HOUR),
    # Kept as it is: an operator who puts the key back gets the grant back.
    Outcome.UNREADABLE: Rule(repeat=Repeat.AFTER_AN_HOUR),
}

QUARANTINE: Final = timedelta(hours=1)


_BY_ERROR: Final[tuple[tuple[type[SlotkeeperError], Outcome], ...]] = (
    (GrantRefused, Outcome.REFUSED),
    (CalendlyThrottled, Outcome.THROTTLED),
    (CalendlyUncertain, Outcome.UNCERTAIN),
    (ClientRefused, Outcome.MISCONFIGURED),
    (SealedValueUnreadable, Outcome.UNREADABLE),
    (CircuitOpen, Outcome.HELD_BACK),
    (RefreshInProgress, Outcome.HELD_BACK),
    (StorageUnavailable, Outcome.HELD_BACK),
    (IntegrationNotFound, Outcome.LOST_RACE),
)


def outcome_of(error: SlotkeeperError) -> Outcome:
    """Return which outcome an error is; what is not known speaks for a passing failure."""
    known = (outcome for kind, outcome in _BY_ERROR if isinstance(error, kind))
    return next(known, Outcome.UNAVAILABLE)
