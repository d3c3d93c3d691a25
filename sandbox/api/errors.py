"""Errors of the API host: `{title, message, details?}` in Calendly's own words."""

from typing import Any


class ApiError(Exception):
    """An answer of the API other than success."""

    def __init__(self, status: int, title: str, message: str, **extra: Any) -> None:
        super().__init__(title)
        self.status = status
        self.body: dict[str, Any] = {"title": title, "message": message, **extra}


def invalid_argument(*details: dict[str, str], status: int = 400) -> ApiError:
    """400 with what is wrong, parameter by parameter."""
    extra = {"details": list(details)} if details else {}
    return ApiError(status, "Invalid Argument", "The supplied parameters are invalid.", **extra)


def detail(parameter: str, message: str, code: str | None = None) -> dict[str, str]:
    """One entry of `details`."""
    entry = {"parameter": parameter, "message": message}
    return entry if code is None else {**entry, "code": code}


def unauthenticated(message: str) -> ApiError:
    """401: the token is invalid, expired or revoked."""
    return ApiError(401, "Unauthenticated", message)


def permission_denied(
    message: str = "You do not have permission to access this resource.",
) -> ApiError:
    """403 by role, plan or state."""
    return ApiError(403, "Permission Denied", message)


def insufficient_scope(*scopes: str) -> ApiError:
    """403 by scope; names the scopes that are missing."""
    return ApiError(
        403,
        "Insufficient scope",
        "This operation requires the scopes listed in the 'required_scopes' array.",
        required_scopes=list(scopes),
    )


def not_found() -> ApiError:
    """404."""
    return ApiError(404, "Resource Not Found", "The server could not find the requested resource.")


def already_exists(message: str = "The resource already exists") -> ApiError:
    """409."""
    return ApiError(409, "Already Exists", message)


def external_calendar_error() -> ApiError:
    """424: a calendar connection is broken."""
    return ApiError(424, "External Calendar Error", "There is a problem accessing your calendar.")


def internal_error() -> ApiError:
    """500."""
    return ApiError(
        500,
        "Internal Server Error",
        "The server encountered an unexpected condition that prevented it from fulfilling "
        "the request.",
    )
