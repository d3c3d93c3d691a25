"""Reading a bearer token (RFC 6750) from a request."""

from typing import Final

from litestar.datastructures import Headers

KEY_ID: Final = "api_key_id"
"""Of the API key, in the ASGI state of a request whose caller is identified."""


def bearer_token(headers: Headers) -> str | None:
    """Return the token of the Authorization header, or None when there is no bearer token."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
