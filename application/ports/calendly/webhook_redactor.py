"""What may be shown, searched and kept of a webhook's body."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol


class WebhookBodies(Protocol):
    """Knows where Calendly's bodies hold links and people. Never raises."""

    def without_links(self, body: bytes) -> Any:
        """Return the body as a value of JSON, without links that act without any login.

        None when it is not JSON.
        """
        ...

    def emails(self, body: bytes) -> frozenset[str]:
        """Return every e-mail address in it, normalised, wherever it stands."""
        ...

    def booked_at(self, body: bytes) -> datetime | None:
        """Return when what it is about (the invitee, mostly) was made (UTC); None if unsaid."""
        ...

    def erased(self, body: bytes, emails: Collection[str]) -> bytes:
        """Return the body without the people of these normalised addresses.

        Of their own booking there stays what tells when it takes place and what became of it; in
        anybody else's their address is blotted out. The outcome still reads as a webhook.
        """
        ...
