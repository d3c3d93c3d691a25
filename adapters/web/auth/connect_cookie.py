"""The cookie that binds a connect flow to the browser that began it (RFC 9700, 2.1: CSRF)."""

from litestar.datastructures import Cookie

from adapters.settings import Settings
from domain.secret import Secret

NAME = "slotkeeper_connect"
_PATH = "/api/calendly/callback"


def connect_cookie(token: Secret, settings: Settings) -> Cookie:
    """Return the cookie; Lax, because the browser comes back from Calendly's site."""
    return Cookie(
        key=NAME,
        value=token.reveal(),
        path=_PATH,
        max_age=int(settings.connect_ttl.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https://"),
    )


def forget_cookie(settings: Settings) -> Cookie:
    return Cookie(
        key=NAME,
        value="",
        path=_PATH,
        max_age=0,
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https://"),
    )
