"""Bodies and client credentials of the token, revoke and introspect endpoints."""

import base64
import binascii
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from sandbox.oauth.apps import App
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.grants import Grants


def read_form(body: bytes, content_type: str) -> dict[str, str]:
    """A form body, or the JSON that some clients send; strings only.

    Raises OAuthError `invalid_request` for anything else.
    """
    try:
        if content_type.startswith("application/json"):
            return msgspec.json.decode(body, type=dict[str, str])
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise OAuthError("invalid_request") from None


def authenticate(
    grants: Grants, authorization: str | None, form: dict[str, str], status: int = 401
) -> App:
    """The app that asks, by HTTP Basic or by fields of the body.

    Raises OAuthError `invalid_client` with `status` for an unknown app or a wrong secret.
    """
    client_id, secret = _basic(authorization) or (
        form.get("client_id", ""),
        form.get("client_secret"),
    )
    app = grants.apps.get(client_id)
    if app is None or not app.has_secret(secret):
        raise OAuthError("invalid_client", status)
    return app


def _basic(authorization: str | None) -> tuple[str, str] | None:
    if authorization is None or not authorization.lower().startswith("basic "):
        return None
    try:
        client_id, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)
