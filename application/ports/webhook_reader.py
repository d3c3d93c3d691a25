"""Reading webhook bodies."""

from typing import Protocol

from domain.webhook import Notice


class WebhookReader(Protocol):
    """Understands Calendly's webhook bodies."""

    def read(self, body: bytes) -> Notice:
        """Return what a body says; a kind we do not know gives a notice without a subject.

        Raises:
            MalformedWebhook: not JSON, no envelope, or a known kind whose payload lacks what it
                must have. The message names the field, never its value.

        """
        ...
