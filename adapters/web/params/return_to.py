"""The addresses to which a browser may be redirected after a connect flow.

Only this service and the origins in RETURN_ORIGINS are allowed. Otherwise this service would be an
open redirector (OAuth 2.0 Security Best Current Practice, RFC 9700, 4.11).
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from domain.errors import InvalidInput
from domain.secret import Secret

LONGEST = 2048
_OUTCOME, _HANDLE = "calendly", "calendly_handle"
_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")  # visible ASCII except the backslash


def checked(return_to: str | None, origins: Iterable[str]) -> str | None:
    """Return the address unchanged.

    Raises:
        InvalidInput: it is neither a path on this service nor an address at one of the origins.

    """
    if return_to is None:
        return None
    plain = len(return_to) <= LONGEST and _PLAIN.fullmatch(return_to) is not None
    if plain and (_is_path(return_to) or origin_of(return_to) in set(map(origin_of, origins))):
        return return_to
    raise InvalidInput(
        "return_to must be a path on this service, or an address at PUBLIC_URL or one of the "
        "origins in RETURN_ORIGINS."
    )


def with_outcome(return_to: str, outcome: str, handle: Secret | None = None) -> str:
    """Return the address with `calendly=<outcome>` in its query, replacing an older one.

    The handle of a flow that waits for its confirmation is in `calendly_handle`.
    """
    parts = urlsplit(return_to)
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in {_OUTCOME, _HANDLE}
    ]
    query.append((_OUTCOME, outcome))
    if handle is not None:
        query.append((_HANDLE, handle.reveal()))
    return urlunsplit(parts._replace(query=urlencode(query)))


def origin_of(address: str) -> str | None:
    """Return `scheme://host[:port]` of an HTTP address without credentials, or None."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    standard = {"http": 80, "https": 443}[parts.scheme]
    suffix = "" if port in {None, standard} else f":{port}"
    return f"{parts.scheme}://{parts.hostname}{suffix}"


def _is_path(address: str) -> bool:
    return address.startswith("/") and not address.startswith("//")
