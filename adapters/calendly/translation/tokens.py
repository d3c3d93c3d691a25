"""The token endpoint's answer to a token pair: a rule for whatever may be wrong with it.

The token that was sent is dead when the answer is read. So an answer is discarded only if
no part of it can keep the grant alive. A usable part is kept, and the next refresh repairs the rest.
docs/token-answers.md says each rule with its reason.
"""

from datetime import datetime

from adapters.calendly.wire.decoding import Unreadable
from adapters.calendly.wire.tokens import TokenAnswer
from domain.secret import Secret
from domain.token import LONGEST_LIFE, TokenPair, life, parse_scopes

DEFAULT_LIFE = 7200  # seconds; Calendly: access tokens last two hours


def first_pair(answer: TokenAnswer, asked_at: datetime) -> TokenPair:
    """Return the pair that an authorization code brought; `asked_at` is the request's time (UTC).

    Raises:
        Unreadable: a token is missing; the person is there still, and can begin again.

    """
    if not answer.access_token:
        raise Unreadable("$.access_token")
    if not answer.refresh_token:
        raise Unreadable("$.refresh_token")
    return TokenPair(
        access=answer.access_token,
        refresh=answer.refresh_token,
        expires_at=_expiry(answer, asked_at),
        scopes=_granted(answer.scope),
        owner_uri=answer.owner or "",
        organization_uri=answer.organization or "",
    )


def next_pair(
    answer: TokenAnswer, asked_at: datetime, *, refresh: Secret, user_uri: str
) -> TokenPair:
    """Return the pair that a refresh token brought.

    It dies by our own clock, whose offset to Calendly's is unknown. Empty scopes and an empty
    organization mean: as before. The token `refresh` of the user was sent at `asked_at` (UTC).

    Raises:
        Unreadable: neither token came.

    """
    if not answer.access_token and not answer.refresh_token:
        raise Unreadable("$.access_token")
    return TokenPair(
        access=answer.access_token or Secret(""),
        refresh=answer.refresh_token or refresh,
        # Without an access token the pair is due now: its refresh token brings the next one.
        expires_at=_expiry(answer, asked_at) if answer.access_token else asked_at,
        scopes=_named(_said(answer.scope)),
        owner_uri=_said(answer.owner) or user_uri,
        organization_uri=_said(answer.organization),
        rotated=bool(answer.refresh_token),
    )


def _said(text: str | None) -> str:
    """Return a text as it was said; one with a NUL in it, which decoding replaces, was not."""
    return "" if text is None or "\ufffd" in text else text


def _expiry(answer: TokenAnswer, asked_at: datetime) -> datetime:
    stated = answer.expires_in
    # Also for what is no number: nothing compares to it.
    if stated is None or not stated > 0:
        return asked_at + life(DEFAULT_LIFE)
    return asked_at + life(int(min(stated, LONGEST_LIFE.total_seconds())))


def _granted(scope: str | None) -> tuple[str, ...]:
    """Of a new grant: not said, the app is one from before scopes; said empty, nothing is."""
    return parse_scopes(None) if scope is None else _named(scope)


def _named(scope: str | None) -> tuple[str, ...]:
    return parse_scopes(scope) if scope and scope.strip() else ()
