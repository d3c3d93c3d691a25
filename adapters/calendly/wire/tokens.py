"""The token endpoint's answer (Calendly: Get Access Token)."""

import msgspec

from domain.secret import Secret

DEFAULT_LIFE = 7200  # seconds; Calendly: access tokens last two hours


class TokenAnswer(msgspec.Struct):
    """A new pair.

    When this is read the old refresh token is dead, so only what nothing works without is
    required; the life, in seconds, falls back to the documented one.
    """

    access_token: Secret
    refresh_token: Secret
    owner: str
    organization: str
    expires_in: float = DEFAULT_LIFE
    scope: str | None = None
