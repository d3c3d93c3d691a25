"""The OAuth host's error answers, `{error, error_description}`, mapped to the domain once.

The rule not to break: a grant is given up for `invalid_grant` alone. Every other answer leaves
the account as it is.
"""

import httpx

from adapters.calendly.errors import Call, throttled
from adapters.calendly.rate_headers import retry_after
from adapters.calendly.wire.decoding import Unreadable, decode
from adapters.calendly.wire.errors import OAuthError
from domain.errors import (
    CalendlyError,
    CalendlyProtocolError,
    CalendlyRejected,
    CalendlyUnavailable,
    CalendlyUncertain,
    ClientRefused,
    GrantRefused,
)

# A refresh token dies with the first request that is processed, so what a 5xx says about
# processing decides everything. These statuses are given in front of the application: overload
# or maintenance (RFC 9110, 15.6.4), and Cloudflare's "web server is down", "origin unreachable",
# "TLS handshake failed", "invalid certificate". Every other 5xx may follow a rotation that was
# already stored: 500 while rendering, 502 and 504 when the gateway lost the answer.
_NOT_PROCESSED = frozenset({503, 521, 523, 525, 526})

_BY_ERROR: dict[str, tuple[type[CalendlyError], str]] = {
    "invalid_grant": (GrantRefused, "the code or token is spent, revoked or unknown"),
    "invalid_client": (
        ClientRefused,
        "check CALENDLY_CLIENT_ID and CALENDLY_CLIENT_SECRET",
    ),
    "unauthorized_client": (
        ClientRefused,
        "check CALENDLY_CLIENT_ID and CALENDLY_CLIENT_SECRET",
    ),
    "invalid_request": (CalendlyRejected, "the request is not complete"),
    "invalid_scope": (CalendlyRejected, "a scope is unknown"),
    "unsupported_grant_type": (CalendlyRejected, "the grant type is not supported"),
}


def read_error(response: httpx.Response) -> str:
    """Return the error code (RFC 6749, 5.2) of a refusal, or an empty text."""
    try:
        return decode(response.content, OAuthError).error
    except Unreadable:
        return ""


def oauth_error(call: Call, response: httpx.Response) -> CalendlyError:
    """Return what an answer other than 200 means."""
    status = response.status_code
    said = f"{call}: Calendly answered {status}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return throttled(call, retry_after(response.headers))
    if status in _NOT_PROCESSED:
        return CalendlyUnavailable(f"{said}.")
    if status >= 500 or 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        return CalendlyUncertain(f"{said}; the request may have been processed.")
    error = read_error(response)
    if status in {400, 401, 403} and error in _BY_ERROR:
        meaning, remedy = _BY_ERROR[error]
        return meaning(f"{said} ({error}): {remedy}.")
    return CalendlyProtocolError(f"{said} in a way it does not document.")
