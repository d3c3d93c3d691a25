"""A place outside the database for token pairs whose storing is not confirmed yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.ids import IntegrationId
from domain.token import SealedTokens


class UnsavedTokenPair(msgspec.Struct, frozen=True, omit_defaults=True):
    """A new pair, sealed, with all that is needed to store it later.

    Args:
        integration_id: whose.
        connected_at: which grant of that integration (UTC).
        replaces: the token version that it was exchanged for.
        exchanged_at: when Calendly answered with it (UTC).
        tokens: the pair, sealed for its row.
        scopes: what was granted with it; empty leaves them as they were.
        organization_uri: the user's organization; empty leaves it as it was.

    """

    integration_id: IntegrationId
    connected_at: datetime
    replaces: int
    exchanged_at: datetime
    tokens: SealedTokens
    scopes: tuple[str, ...] = ()
    organization_uri: str = ""


class UnsavedTokens(Protocol):
    """Keeps pairs where they outlive this process, as far as that can be; never raises.

    After a crash the next attempt finds in `kept` the pairs that were not dropped.
    """

    def keep(self, pair: UnsavedTokenPair) -> None:
        """Keep a pair, before the first attempt to store it."""
        ...

    def alarm(self) -> None:
        """Storing fails: make sure now that what is kept has left this process."""
        ...

    def drop(self, pair: UnsavedTokenPair) -> None:
        """Forget a pair: it is stored, or another change made it worthless."""
        ...

    def kept(self) -> Sequence[UnsavedTokenPair]:
        """Return what is kept, earlier attempts' pairs first."""
        ...
