"""Reading webhook bodies."""

from typing import Protocol

from domain.webhook import ParsedWebhook


class WebhookReader(Protocol):
    """Parses Calendly's webhook bodies."""

    def read(self, body: bytes) -> ParsedWebhook:
        """Return a parsed body.

        A webhook of an unknown kind has no subject. A known kind with an unreadable payload has no
        subject either; `unreadable` names the field.

        Raises:
            MalformedWebhook: not JSON, or no envelope. The message names the field, never its
                value.

        """
        ...
