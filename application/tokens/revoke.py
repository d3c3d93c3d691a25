"""Give back a token pair that is not kept."""

from collections.abc import Iterable
from contextlib import suppress

from application.ports.calendly.oauth import CalendlyOAuth
from domain.errors import CalendlyError
from domain.secret import Secret


async def revoke_unused(oauth: CalendlyOAuth, tokens: Iterable[Secret]) -> None:
    """Revoke tokens that nobody else knows; if Calendly is down they simply are never used."""
    for token in tokens:
        with suppress(CalendlyError):
            await oauth.revoke(token)
