"""Calendly's OAuth host."""

from typing import Protocol

from domain.secret import Secret
from domain.token import TokenPair


class CalendlyOAuth(Protocol):
    """Consent, exchange, refresh, revoke. No method repeats a request by itself.

    Every method that calls out raises CalendlyUnavailable if nothing was processed, and
    CalendlyUncertain if it may have been. A 429 is CalendlyThrottled, wrong credentials of our own
    are ClientRefused, and an answer that cannot be read is CalendlyProtocolError.
    """

    @property
    def client_id(self) -> str:
        """The client id of our app at Calendly, to which it gives grants."""
        ...

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return the address of the consent page, with PKCE S256 (RFC 7636)."""
        ...

    async def exchange_code(
        self, *, code: Secret, verifier: Secret, redirect_uri: str
    ) -> TokenPair:
        """Exchange an authorization code for the first pair.

        Raises:
            GrantRefused: the code is spent, expired or does not match.

        """
        ...

    async def refresh(self, refresh: Secret, *, user_uri: str) -> TokenPair:
        """Exchange a refresh token for the next pair; on success the old one is dead.

        Args:
            refresh: the single-use token.
            user_uri: whose budget of 8 token requests a minute it spends.

        Raises:
            GrantRefused: the token is spent, revoked or unknown.

        """
        ...

    async def revoke(self, token: Secret) -> None:
        """Revoke a token; one that is dead already counts as revoked."""
        ...
