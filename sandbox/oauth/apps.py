"""Developer apps: who may ask for tokens, and which key signs their webhooks."""

import hmac
from urllib.parse import urlsplit

import msgspec

_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


class App(msgspec.Struct, eq=False, kw_only=True):
    """A Calendly OAuth app of the Sandbox environment.

    `client_secret` is None for a native app, which is public and must use PKCE.
    """

    client_id: str
    client_secret: str | None
    signing_key: str
    name: str = "Sandbox app"
    redirect_uris: tuple[str, ...] = ()

    def allows_redirect(self, uri: str) -> bool:
        """Any local address, as Sandbox apps allow, or one of the registered ones."""
        if uri in self.redirect_uris:
            return True
        parts = urlsplit(uri)
        return parts.scheme in ("http", "https") and parts.hostname in _LOCAL_HOSTS

    def has_secret(self, secret: str | None) -> bool:
        """Whether the presented secret is right; a native app presents none."""
        if self.client_secret is None:
            return not secret
        return hmac.compare_digest((secret or "").encode(), self.client_secret.encode())
