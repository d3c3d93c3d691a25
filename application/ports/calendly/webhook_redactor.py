"""Show, search and redact the bodies of webhooks."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol


class WebhookBodies(Protocol):
    """Finds links and personal data in Calendly's bodies. Never raises."""

    def without_links(self, body: bytes) -> Any:
        """Return the body as a JSON value, without links that act without a login.

        None if it is not JSON.
        """
        ...

    def emails(self, body: bytes) -> frozenset[str]:
        """Return every e-mail address in the body, normalised."""
        ...

    def booked_at(self, body: bytes) -> datetime | None:
        """Return the creation time (UTC) of its subject, mostly the invitee; None if unknown."""
        ...

    def erased(self, body: bytes, emails: Collection[str]) -> bytes:
        """Return the body without the personal data of these normalised addresses.

        Of such a person's own booking, its times and status remain. In another person's booking
        only the address is replaced. The result is still a readable webhook.
        """
        ...
