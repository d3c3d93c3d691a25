"""Errors of the OAuth host: `{error, error_description}` in the wording of `doorkeeper` (RFC 6749)."""

_DESCRIPTIONS = {
    "invalid_grant": (
        "The provided authorization grant is invalid, expired, revoked, does not match the "
        "redirection URI used in the authorization request, or was issued to another client."
    ),
    "invalid_client": (
        "Client authentication failed due to unknown client, no client authentication included, "
        "or unsupported authentication method."
    ),
    "unsupported_grant_type": (
        "The authorization grant type is not supported by the authorization server."
    ),
    "unsupported_response_type": ("The authorization server does not support this response type."),
    "invalid_request": (
        "The request is missing a required parameter, includes an unsupported parameter value, "
        "or is otherwise malformed."
    ),
    "invalid_redirect_uri": "The requested redirect uri is malformed or doesn't match client redirect URI.",
    "invalid_scope": "The requested scope is invalid, unknown, or malformed.",
    "access_denied": "The resource owner or authorization server denied the request.",
    "unauthorized_client": ("You are not authorized to revoke this token"),
    "rate_limited": "Too many requests. Please try again later.",
}


class OAuthError(Exception):
    """An answer of the OAuth host other than success."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.description = _DESCRIPTIONS[error]

    def as_json(self) -> dict[str, str]:
        """The body of the answer."""
        return {"error": self.error, "error_description": self.description}
