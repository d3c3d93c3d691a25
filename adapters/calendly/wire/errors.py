"""Error bodies: the API's family and the OAuth host's."""

from typing import Any

import msgspec


class ErrorDetail(msgspec.Struct):
    """One parameter's fault; its text is not read, for it may repeat what was sent."""

    code: str | None = None
    parameter: Any = None


class ApiError(msgspec.Struct):
    """`{title, message, details}`; `required_scopes` only where a scope is missing."""

    title: str = ""
    message: str = ""
    details: list[ErrorDetail] = []
    required_scopes: Any = None


class OAuthError(msgspec.Struct):
    """`{error, error_description}` (RFC 6749, 5.2); the description is not read."""

    error: str = ""
