"""Begin a connect flow: send a user to Calendly's consent page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import Storage
from application.ports.vault import Vault
from application.security.hashing import digest, pkce_challenge
from domain.ids import UserId
from domain.secret import Secret


class StartedConnect(msgspec.Struct, frozen=True):
    """A flow that has begun.

    Args:
        authorize_url: where to send the user's browser.
        state: names the flow, as Calendly echoes it to the callback.
        browser_token: to be set as a cookie in that browser, when the flow is bound to it.
        expires_at: until when the callback is accepted (UTC).

    """

    authorize_url: str
    state: str
    browser_token: Secret | None
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class BeginConnect:
    """Makes a `state` for one use by one user until it expires, with PKCE (RFC 7636)."""

    storage: Storage
    vault: Vault
    oauth: CalendlyOAuth
    clock: Clock
    randomness: Randomness
    redirect_uri: str
    ttl: timedelta

    async def __call__(
        self,
        user_id: UserId,
        *,
        return_to: str | None = None,
        bind_browser: bool,
        replace: bool = False,
    ) -> StartedConnect:
        """Begin.

        Args:
            user_id: who connects.
            return_to: where the browser goes afterwards; checked by the caller.
            bind_browser: whether the browser that started must be the one that comes back.
            replace: whether another Calendly account may take the place of the connected one;
                without it that is refused with AccountMismatch.

        """
        state, verifier = self.randomness.token(), self.randomness.token(48)
        cookie = self.randomness.token() if bind_browser else None
        expires_at = self.clock.now() + self.ttl
        state_hash = digest(state)
        attempt = ConnectAttempt(
            state_hash=state_hash,
            user_id=user_id,
            sealed_verifier=self.vault.seal(Secret(verifier), verifier_bound_to(state_hash)),
            expires_at=expires_at,
            browser_hash=digest(cookie) if cookie else None,
            return_to=return_to,
            replaces=replace,
        )
        async with self.storage() as uow:
            await uow.connect_attempts.add(attempt)
            await uow.commit()
        url = self.oauth.authorize_url(
            state=state, challenge=pkce_challenge(verifier), redirect_uri=self.redirect_uri
        )
        token = Secret(cookie) if cookie else None
        return StartedConnect(
            authorize_url=url, state=state, browser_token=token, expires_at=expires_at
        )


def verifier_bound_to(state_hash: bytes) -> str:
    return f"calendly_connect_attempt:{state_hash.hex()}"


def code_bound_to(state_hash: bytes) -> str:
    return f"calendly_connect_attempt:{state_hash.hex()}:code"
