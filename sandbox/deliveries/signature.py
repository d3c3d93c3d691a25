"""The `Calendly-Webhook-Signature` header (Calendly: webhook signatures)."""

import hashlib
import hmac

HEADER = "Calendly-Webhook-Signature"


def sign(key: str, body: bytes, at: int) -> str:
    """`t=<at>,v1=<hex>`: HMAC-SHA256 of `<at>.<raw body>`; `at` in UNIX seconds."""
    message = str(at).encode() + b"." + body
    return f"t={at},v1={hmac.digest(key.encode(), message, hashlib.sha256).hex()}"
