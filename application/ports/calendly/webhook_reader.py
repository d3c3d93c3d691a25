"""Reading webhook bodies."""

from typing import Protocol

from domain.webhook import ParsedWebhook


class WebhookReader(Protocol):
    """Understands Calendly's webhook bodies."""

    def read(self, body: bytes) -> ParsedWebhook:
        """Return what a body says.

        A kind we do not know gives a notice without a subject; so does a known one whose payload
        cannot be read, with the field in `unreadable`.

        Raises:
            MalformedWebhook: not JSON, or no envelope. The message names the field, never its
                value.

        """
        ...
