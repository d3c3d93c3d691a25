"""Connect flows: each `state` serves one user once, until it expires."""

from datetime import datetime
from typing import Protocol

import msgspec

from domain.ids import IntegrationId, UserId


class ConnectAttempt(msgspec.Struct, frozen=True):
    """One started connect flow.

    Args:
        state_hash: SHA-256 of the state (32 bytes); the state itself is not stored.
        sealed_verifier: the PKCE verifier, sealed, bound to the state hash in hex.
        browser_hash: SHA-256 of the cookie set in the browser that started the flow, or None
            when the team's own back end sent the user on.
        return_to: where to send the browser afterwards, or None.
        expires_at: when the state dies (UTC).
        replaces: whether another Calendly account may take the place of the connected one.
        connected_id: the integration that a completed flow connected, or None before that.
        connected_until: until when the callback of a completed flow is answered again (UTC).
        sealed_code: the authorization code of a held flow, sealed, bound to the state hash in hex.
        handle_hash: SHA-256 of the handle of a flow that is held, or was until its confirmation.

    """

    state_hash: bytes
    user_id: UserId
    sealed_verifier: str
    expires_at: datetime
    browser_hash: bytes | None = None
    return_to: str | None = None
    replaces: bool = False
    connected_id: IntegrationId | None = None
    connected_until: datetime | None = None
    sealed_code: str | None = None
    handle_hash: bytes | None = None

    @property
    def is_held(self) -> bool:
        """Whether its code waits for the confirmation of the user who began."""
        return self.sealed_code is not None


class ConnectAttempts(Protocol):
    """Connect flows by the hash of their state."""

    async def add(self, attempt: ConnectAttempt) -> None:
        """Remember a started flow, and forget those that expired before it."""
        ...

    async def find(self, state_hash: bytes) -> ConnectAttempt | None:
        """Return the flow and keep it; None when unknown or taken already.

        An expired one is returned too: the caller judges its time, and whose it is.
        """
        ...

    async def take(self, state_hash: bytes) -> ConnectAttempt | None:
        """Return the flow and forget it in one step; None when unknown or taken already.

        Of two that take it at the same moment one gets it, once the other's unit of work ended.
        A completed flow and a held one are never taken.
        """
        ...

    async def hold(self, held: ConnectAttempt, now: datetime, until: datetime) -> bool:
        """Keep the code and the handle of a flow that is under way, in one step.

        Of two that hold or take it at the same moment one succeeds. Flows that were held until
        before now are forgotten with their codes.

        Args:
            held: the flow with its sealed code and the hash of its handle.
            now: the caller's reading of its clock (UTC); only the distance to `until` counts.
            until: when the handle ends (UTC).

        Returns: False where the flow is no longer under way, and nothing is kept.

        """
        ...

    async def take_held(self, handle_hash: bytes, now: datetime) -> ConnectAttempt | None:
        """Forget the held flow with this handle and its code, and return the flow.

        None when unknown, taken already, or past its time by the store's clock; a flow past its
        time is forgotten too. Of two that take it at the same moment one gets it.
        """
        ...

    async def find_confirmed(self, handle_hash: bytes) -> ConnectAttempt | None:
        """Return the completed flow that had this handle, and keep it; None when unknown."""
        ...

    async def put_connected(self, attempt: ConnectAttempt) -> None:
        """Remember a flow that was taken and is complete, unless its state is known already."""
        ...
