"""The errors that the consent page sends a browser back with (RFC 6749, 4.1.2.1)."""

from domain.errors import CalendlyRejected, CalendlyUnavailable, ConsentDenied, SlotkeeperError

_DENIED = "access_denied"
_PASSING = frozenset({"server_error", "temporarily_unavailable"})
_SCOPE = "invalid_scope"


def consent_error(code: str) -> SlotkeeperError:
    """Return the error to show for the callback's `error` parameter.

    Only `access_denied` says that the person refused. The code is not repeated in any message:
    any person with the link may have written it.
    """
    if code == _DENIED:
        return ConsentDenied("Access to Calendly was refused; nothing was connected.")
    if code in _PASSING:
        return CalendlyUnavailable(
            "Calendly could not show its consent page at the moment; nothing was connected, "
            "try again."
        )
    if code == _SCOPE:
        return CalendlyRejected(
            "Calendly does not let this app ask for the permissions it needs; an operator has "
            "to allow its scopes in Calendly's developer console."
        )
    return CalendlyRejected(
        "Calendly did not accept the connect request; an operator has to check the client id "
        "and the redirect URI in Calendly's developer console."
    )
