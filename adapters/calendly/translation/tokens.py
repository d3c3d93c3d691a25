"""The token endpoint's answer to a token pair."""

from datetime import datetime

from adapters.calendly.wire.decoding import Unreadable
from adapters.calendly.wire.tokens import DEFAULT_LIFE, TokenAnswer
from domain.token import LONGEST_LIFE, TokenPair, life, parse_scopes


def to_pair(answer: TokenAnswer, asked_at: datetime, *, refreshed: bool) -> TokenPair:
    """Return the pair; it dies by our own clock, whose offset to Calendly's is unknown.

    Args:
        answer: what came.
        asked_at: when the request was made (UTC).
        refreshed: whether a pair went before it: then no scope said means the same scopes as
            before (RFC 6749, 5.1), and the pair's are left empty.

    Raises:
        Unreadable: a token is empty.

    """
    if not answer.access_token:
        raise Unreadable("$.access_token")
    if not answer.refresh_token:
        raise Unreadable("$.refresh_token")
    return TokenPair(
        access=answer.access_token,
        refresh=answer.refresh_token,
        expires_at=asked_at + life(_whole_seconds(answer.expires_in)),
        scopes=() if refreshed and not answer.scope else parse_scopes(answer.scope),
        owner_uri=answer.owner,
        organization_uri=answer.organization,
    )


def _whole_seconds(seconds: float) -> int:
    longest = LONGEST_LIFE.total_seconds()
    return int(min(seconds, longest)) if seconds > 0 else DEFAULT_LIFE
