"""Revoke a token pair that is not stored."""

from collections.abc import Iterable
from contextlib import suppress

from application.ports.calendly.oauth import CalendlyOAuth
from domain.errors import CalendlyError
from domain.secret import Secret


async def revoke_unused(oauth: CalendlyOAuth, tokens: Iterable[Secret]) -> None:
    """Revoke tokens that no other process knows; if Calendly is down they are simply unused."""
    for token in tokens:
        with suppress(CalendlyError):
            await oauth.revoke(token)
