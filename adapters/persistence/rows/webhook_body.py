"""Encrypt a webhook's body for its row, and decrypt it to the same bytes."""

from typing import Any
from uuid import UUID

from application.ports.vault import Vault
from domain.secret import Secret


def seal_body(event_id: UUID, body: bytes, vault: Vault) -> str:
    """Return the text of `body_sealed`."""
    # Latin-1 maps every byte to one character and back: the bytes stay exactly as received.
    return vault.seal(Secret(body.decode("latin-1")), _bound_to(event_id))


def open_body(row: Any, vault: Vault) -> bytes:
    """Return the body of a row with its `public_id` and `body_sealed`.

    Raises:
        SealedValueUnreadable: it cannot be decrypted.

    """
    body = vault.open(row["body_sealed"], _bound_to(row["public_id"]))
    return body.reveal().encode("latin-1")


def _bound_to(event_id: UUID) -> str:
    return f"calendly_webhook_event:{event_id}"
