"""The cookie that binds a connect flow to the browser that began it (RFC 9700, 2.1: CSRF).

Each flow has a cookie of its own, so that two tabs of one browser do not overwrite each other's.
"""

from litestar.datastructures import Cookie

from adapters.settings import Settings
from adapters.web.http.base_path import base_path
from application.security.hashing import digest
from domain.secret import Secret

NAME = "slotkeeper_connect"
_SECURE = "__Secure-"
"""A browser accepts a cookie of this name only over https (RFC 6265bis, 4.1.3.1), so that no
page of plain http on this host can set one."""

_PATH = "/api/calendly/callback"
_NAME_DIGITS = 16


def name_of(state: str, settings: Settings) -> str:
    """Return the name of the cookie of the flow with this state, without the state itself."""
    prefix = _SECURE if settings.is_https else ""
    return f"{prefix}{NAME}_{digest(state).hex()[:_NAME_DIGITS]}"


def connect_cookie(state: str, token: Secret, settings: Settings) -> Cookie:
    """Return the cookie; Lax, because the browser comes back from Calendly's site."""
    return _cookie(state, token.reveal(), int(settings.connect_ttl.total_seconds()), settings)


def forget_cookie(state: str, settings: Settings) -> Cookie:
    """Return the cookie that makes the browser drop the one of this flow."""
    return _cookie(state, "", 0, settings)


def _cookie(state: str, value: str, max_age: int, settings: Settings) -> Cookie:
    return Cookie(
        key=name_of(state, settings),
        value=value,
        path=base_path(settings) + _PATH,
        max_age=max_age,
        httponly=True,
        samesite="lax",
        secure=settings.is_https,
    )
